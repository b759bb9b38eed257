"""Kinds of rows, a folder each: how they are told from a table, what is seen of them, and what names them."""
