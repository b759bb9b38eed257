"""From data sets to episodes: synthetic priors, real sets, situations and augmentations.

Public names live in their modules: `episode`, `sampler`, `situation`, `real`, `corpus`, `augment`, `vary`.
"""
