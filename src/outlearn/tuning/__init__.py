"""Learning to choose and set classical detectors: what worked on other tables, tried on this one."""
