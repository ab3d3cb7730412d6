"""Recordings of browsers and proxies: HTTP Archive (HAR) 1.1 and 1.2."""
