"""`planrunner.yaml`: what the plans beside it start from."""
