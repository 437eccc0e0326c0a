"""Checks of the compiler by running it: vector files and random programs."""
