"""k6 scripts: what their functions would do, read without running them."""
