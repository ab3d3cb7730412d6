"""Components as tests: what the fixture `perf` measures, generates and judges."""
