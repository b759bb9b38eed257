"""Learners: what is learnt across tasks, and how it adapts to one.

The contract is in `learners.base`; `learners.incontext` holds the pretrained in-context learner.
"""
