"""Learners of series: `transformer` reads segments in order, `fleet` learns from faults of alike machines."""
