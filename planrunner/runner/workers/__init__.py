"""The workers of a run, where they are processes of their own."""
