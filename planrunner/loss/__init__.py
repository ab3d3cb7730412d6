"""What becomes of each piece of a test on its way from one tool to another.

The importers and exporters write into one `Ledger`; `planrunner.loss.report` shows it.
"""
