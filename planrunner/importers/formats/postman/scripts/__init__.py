"""The scripts of a collection: patterns of tests and of kept values, never run."""
