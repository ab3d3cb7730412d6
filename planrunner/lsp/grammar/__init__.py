"""What a plan can have where: the schema of plans, walked beside a text."""
