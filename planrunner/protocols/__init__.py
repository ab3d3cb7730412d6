"""Protocols: the contract with the engine, the registry, and one package per protocol."""
