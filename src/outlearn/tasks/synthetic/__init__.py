"""Synthetic tables, one prior a file; `table` puts a world, its anomalies and its recording together."""
