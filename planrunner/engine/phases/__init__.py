"""One file per load model: how a phase starts and stops users."""
