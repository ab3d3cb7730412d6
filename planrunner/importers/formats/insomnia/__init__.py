"""Exports of Insomnia, of formats 4 and 5."""
