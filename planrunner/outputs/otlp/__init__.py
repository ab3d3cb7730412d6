"""The output `otlp`: a run as metrics of OpenTelemetry, sent over HTTP or gRPC."""
