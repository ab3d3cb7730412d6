"""GraphQL: queries of a plan, checked before the run and sent as POST requests."""
