"""What the compiler made of a plan, shown beside its text: hints, lenses, colours."""
