"""The charts of reports: Vega-Lite specs, their data, and what they show in words."""
