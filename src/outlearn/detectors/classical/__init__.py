"""Classical detectors as plain scorers, one idea a file; `outlearn.detectors.pool` gives each its name."""
