"""Verdicts of people on rows: their store, and the choice of the row to ask about next."""
