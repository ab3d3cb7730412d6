"""What the page knows of a run: its state as JSON, its past in bounded memory, its viewers."""
