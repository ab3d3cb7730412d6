"""Commands of curl, from a script or pasted from a browser."""
