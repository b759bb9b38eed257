"""Trying one configuration: fitting it, and what of it can be observed without labels."""
