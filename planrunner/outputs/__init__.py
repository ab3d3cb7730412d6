"""Receives a run while it lasts, second by second: the contract, and the fan-out to several."""
