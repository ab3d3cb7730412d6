"""Timing of calls too short for a clock: batches, overhead, garbage, the machine, stability."""
