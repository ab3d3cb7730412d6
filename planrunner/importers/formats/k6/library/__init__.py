"""Libraries that scripts import: what planrunner has a counterpart of."""
