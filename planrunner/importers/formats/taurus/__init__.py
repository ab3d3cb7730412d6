"""Tests of Taurus: `execution` and `scenarios` in YAML or JSON."""
