"""Tests of Drill: a `plan` of requests in YAML, with `iterations` and `concurrency`."""
