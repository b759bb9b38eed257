"""The default learner, a small network on row profiles trained on hundreds of real tables, and the profiles.

Reading order: `lean` (the statistics of a row), `verdicts` and `evidence` (what labels add), `nets.rows` (the
network), `learner` (adapt and score), `fit` (meta-training), `summary` (what sets level and doubt). `profile`
holds the richer profiles that the in-context learner reads, `bank` and `lean_bank` those of whole episodes.
"""
