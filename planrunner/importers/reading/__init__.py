"""What readers of several formats need alike: names, paths, times, files beside a test."""
