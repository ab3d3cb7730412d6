"""What the commands have alike that translate tests: their loss report and exit code."""
