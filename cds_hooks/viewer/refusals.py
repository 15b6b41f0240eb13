"""Why the viewer shows a message instead of evidence: fixed words, each with its status.

ViewerRefusal
├── LaunchRefused 403   the launch is not one we trust
├── NotYours 403        what was asked for was kept for another user, patient or tenant
├── Gone 410            no such view, or no longer
├── Ended 401           the session is over, or there never was one
└── NotNow 503          the EHR or our store does not answer
"""

from __future__ import annotations

from typing import ClassVar

from cds_hooks.viewer.viewer_client import RegisteredClient


class ViewerRefusal(Exception):
    """`reason` is for the log and never shown; `client`, where it is known, says who may frame the message."""

    status: ClassVar[int] = 403

    def __init__(self, reason: str, client: RegisteredClient | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.client = client


class LaunchRefused(ViewerRefusal):
    status = 403


class NotYours(ViewerRefusal):
    status = 403


class Gone(ViewerRefusal):
    status = 410


class Ended(ViewerRefusal):
    status = 401


class NotNow(ViewerRefusal):
    status = 503
