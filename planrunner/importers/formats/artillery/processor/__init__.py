"""The `processor` of a test: functions in JavaScript, read as steps and never run."""
