"""What an answer says of itself, read off its extension."""

from __future__ import annotations

from typing import Any

import httpx


def status(answer: httpx.Response) -> dict[str, Any]:
    """The status of a 200."""
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["extension"]["org.dxspan.status"]
    return found


def unread(answer: httpx.Response) -> list[tuple[str, str, int]]:
    """What of the chart it says was not read: what, why, how many."""
    return [(one["what"], one["reason"], one["count"]) for one in status(answer).get("unread", [])]
