"""The default learner: a small network on row profiles, trained on hundreds of real tables.

Reading order: `rows.lean` (what is told of a row), `rows.evidence` (what labels add), `nets.rows` (the
network), `learner` (adapt and score), `fit` (meta-training), `summary` (what sets level and doubt).
"""

from outlearn.learners.profiles.learner import Profiles, ProfilesLearned, ProfilesScorer

__all__ = ["Profiles", "ProfilesLearned", "ProfilesScorer"]
