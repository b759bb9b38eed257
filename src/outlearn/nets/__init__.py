"""Networks: torch modules and nothing else. This is the only room that imports torch at module level."""
