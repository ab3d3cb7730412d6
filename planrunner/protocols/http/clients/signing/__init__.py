"""Credentials that are made anew for each message: answers to challenges, and signatures."""
