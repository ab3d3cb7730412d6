"""Histograms, series, snapshots and thresholds: pure arithmetic over samples."""
