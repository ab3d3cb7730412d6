"""Workers: the local one, remote ones, and what travels between them and the coordinator."""
