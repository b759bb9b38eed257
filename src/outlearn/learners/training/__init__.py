"""Meta-training from a file of settings to a checkpoint with its model card."""
