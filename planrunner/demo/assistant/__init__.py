"""The demo assistant: a language model that is none, over HTTP, and rooms to talk in."""
