"""Several configurations beside each other: on the console and as Markdown."""
