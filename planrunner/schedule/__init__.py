"""Load arithmetic: populations, pauses and weighted picks; pure, and exact in integers."""
