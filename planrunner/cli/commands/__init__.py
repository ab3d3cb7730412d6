"""The subcommands of `planrunner`: one module each, which defines `command`."""
