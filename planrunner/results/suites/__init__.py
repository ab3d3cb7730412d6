"""What came of several runs: a suite of plans, and one plan that was repeated."""
