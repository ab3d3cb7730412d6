"""Outputs of a run: those that the plan asks for, and the progress of the terminal."""
