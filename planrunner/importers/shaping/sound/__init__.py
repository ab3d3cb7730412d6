"""What a plan can't say is taken out of a draft, by name: so each imported plan is valid."""
