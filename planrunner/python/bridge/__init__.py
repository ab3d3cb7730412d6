"""The bridge: classes with the names, arguments and results of an older performance module."""
