"""Reports of faults, run."""
