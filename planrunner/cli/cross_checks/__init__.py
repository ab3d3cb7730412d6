"""The command that sends the same load with several tools."""
