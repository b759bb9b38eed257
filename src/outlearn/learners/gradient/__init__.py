"""Gradient learners: a start for the parameters from which a few steps on a support suffice.

Reading order: `learner` (the base of all, on `inner`, the inner loop), `maml`, `anil`, `metasgd`, `reptile`,
`imaml` (each one idea). `functional` calls a module with parameters as values, `vmap` says when tasks run
side by side, `checkpointing` trades time for memory, `trimming` leaves out the rows that fit worst, `checks`
refuses modules and losses that cannot be learnt with.
"""
