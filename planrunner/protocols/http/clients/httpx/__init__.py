"""The client over httpx: the reference, and the one that knows proxies."""
