"""Several configurations beside each other: on the console, as Markdown, as a page, as charts."""
