"""What users share while they run: pools of values, and barriers at which they wait."""
