"""Figures of iterations: there are few of them, and seconds say nothing of them."""
