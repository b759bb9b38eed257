"""Ways to spend a budget of trials and to choose, what networks learn them by, and what they lean on."""
