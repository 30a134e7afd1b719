"""How close two pictures are: one measure a file, and the named protocols that published scores follow."""
