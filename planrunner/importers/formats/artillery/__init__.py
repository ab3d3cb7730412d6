"""Tests of Artillery, versions 1 and 2: `config` and `scenarios` in YAML or JSON."""
