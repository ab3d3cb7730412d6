"""Results to text and files: every report is a function of a `RunResult`, and opens no file."""
