"""From data sets to episodes: real sets, synthetic priors, situations and augmentations."""
