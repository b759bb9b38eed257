"""Rows of any table as profiles of one width: what networks read."""
