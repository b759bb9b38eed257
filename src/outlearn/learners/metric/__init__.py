"""Metric learners: a space in which the distance to known rows says what a row is.

Reading order: `learner` (the base of all), `protonet` (distance to prototypes), `pairs` (likeness of pairs).
"""
