"""Several configurations of one thing: which is best in what, where that can be told from noise."""
