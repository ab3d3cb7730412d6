"""Telling people what came of a run, through the services that apprise knows."""
