"""What the studies share: result files, the machine, peers, workers, sets and published figures."""
