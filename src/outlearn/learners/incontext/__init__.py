"""In-context learning: a network reads a support and its labels in one pass, and adapts by no step.

Reading order: `learner` (adapt and score), `loss` (what it is trained on), `fusion` (several modalities).
"""
