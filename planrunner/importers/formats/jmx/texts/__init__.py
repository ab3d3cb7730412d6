"""Variables, functions and conditions of JMeter as expressions of a plan."""
