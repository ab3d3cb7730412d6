"""The combinations of a matrix: on the console, as Markdown, on the page."""
