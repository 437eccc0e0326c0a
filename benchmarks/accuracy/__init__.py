"""Accuracy of whole models under every kind of scheme (docs/accuracy.md)."""
