"""The default client: HTTP/1.1 over asyncio, requests pre-encoded."""
