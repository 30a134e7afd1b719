"""Films: decoded, restored, encoded again, with everything else in the file kept. Needs the extra ``video``."""
