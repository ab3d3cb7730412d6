"""What looks at the page of metrics: a dashboard of Grafana, alerts of Prometheus."""
