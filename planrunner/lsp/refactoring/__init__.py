"""Changes of a plan that mean the same: steps become a flow, a request gets a name."""
