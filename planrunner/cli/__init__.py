"""The command line: the only place that wires layers together, prints, and ends the process."""
