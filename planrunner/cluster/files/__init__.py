"""The files of plans: what they are, and how they come to the hosts of a cluster."""
