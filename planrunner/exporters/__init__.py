"""Plans → tests of other tools.

A tool is one `Exporter` record in its module in `tools/`; `exporting.export_plan` gives its writer
the keys of a checked plan, each a construct of the ledger, and the loads of the compiled one.
Nothing is sent, and no secret is written.
"""
