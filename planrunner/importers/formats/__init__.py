"""One package for each format: its `importer` module has the record `IMPORTER`."""
