"""Names that a plan uses and other files give: functions of Python, methods of gRPC."""
