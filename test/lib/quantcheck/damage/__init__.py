"""Damaged programs, files and options."""
