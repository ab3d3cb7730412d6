"""Samplers, and what stands around them: timers, assertions, extractors, scripts."""
