"""Faults of upstream's own code that damage reaches, each by a signature that
nothing else has, with the reason why it is not refused before.
docs/upstream-semantics.md lists them for users."""

from dataclasses import dataclass


@dataclass
class Known:
    # A regular expression that the errors of the tool match.
    signature: str
    reason: str


KNOWN: list[Known] = []
