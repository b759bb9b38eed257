"""Learns how to detect anomalies."""

__version__ = "0.1.0"
