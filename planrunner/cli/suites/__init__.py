"""Several runs on the command line: run as a suite, and two suites compared."""
