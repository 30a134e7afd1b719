"""Work on many files: which ones, what the results are called, and one bad file never stops the rest."""
