"""Workers on other hosts, reached through a Dask cluster."""
