"""The load tools that planrunner knows by itself, a module each."""
