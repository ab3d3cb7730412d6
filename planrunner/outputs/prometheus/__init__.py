"""The output `prometheus`: a page of metrics that a Prometheus server scrapes while a run lasts."""
