"""Phases, stages and searches: how much load each phase asks for, and which phases run."""
