"""Learners: what is learnt across tasks, and how it adapts to one.

`base` holds the contract, `catalogue` the learners by name. Gradient learners: `gradient` and what builds
on it (`maml`, `anil`, `metasgd`, `reptile`, `imaml`), with `inner` for the inner loop. Metric learners:
`metric`, `protonet`, `pairs`. `incontext` reads a support in one pass. `tabular` makes learners of tasks
learners of tables; `rows` holds the profiles they read, `fit` and `loop` the training of any learner, and
`training` the way from a file of settings to a checkpoint. `pretrained` reads and writes those.
"""
