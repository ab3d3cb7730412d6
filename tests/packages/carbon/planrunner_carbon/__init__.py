"""An output for planrunner in a package of its own: figures for Graphite."""
