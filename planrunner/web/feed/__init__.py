"""What a run and the process that shows it say to each other."""
