"""One module for each tool that plans are exported to, with its `EXPORTER` record."""
