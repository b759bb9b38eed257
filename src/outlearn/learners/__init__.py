"""Learners: what is learnt across tasks, and how it adapts to one.

`base` holds the contract, `catalogue` the learners by name. A folder holds a family: `gradient` adapts by
steps, `metric` by distances, `incontext` reads a support in one pass, `profiles` (the default) reads rows as
profiles of one width, `series` reads what comes in order. `tabular` makes learners of tasks learners of
tables; `training` holds the training of any learner, from its loop to the way from a file of settings to a
checkpoint. `pretrained` reads and writes those.
"""
