"""The same load from several tools in turn: what each measures, and where it differs."""
