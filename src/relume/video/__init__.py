"""Films: decoded, restored and encoded again, with all else in the file kept. Needs the extra ``video``."""
