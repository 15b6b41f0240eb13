"""Why something of a chart could not be read, in a fixed word.

Knows the words that Chart.unread may hold. Never carries chart text, so it may be logged and counted anywhere.
"""

from __future__ import annotations

from typing import Literal

Reason = Literal[
    "other-patient",
    "entered-in-error",
    "superseded",
    "not-done",
    "not-text",
    "undecodable",
    "too-large",
    "restricted",
    "not-authorized",
    "not-available",
    "over-limit",
    "malformed",
    "not-fetched",
]


class Unreadable(Exception):
    """A document or attachment that gives no text. `reason` is the whole message."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason
