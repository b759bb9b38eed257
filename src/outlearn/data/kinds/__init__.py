"""Kinds of rows, a folder each: how they are recognised in a table, their features, and what names them."""
