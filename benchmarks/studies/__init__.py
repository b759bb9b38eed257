"""The studies, each in a module of its name, with the helpers that only some of them use."""
