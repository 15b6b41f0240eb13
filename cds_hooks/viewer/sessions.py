"""A session of the viewer: one browser, one view, until it is idle, ended or over. And the cookie that holds its secret.

Each sign-in gets a new secret of ours, so one that was planted before is worth nothing; each session has a cookie and an
address of its own, so two patients open in one browser are never mixed up. Knows no patient.
"""

from __future__ import annotations

import hmac
import secrets
import time
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from cds_hooks.viewer.refusals import Ended
from cds_hooks.viewer.viewer_client import RegisteredClient, ViewerClients
from cds_hooks.viewer.viewer_store import ViewerStore

REMEMBERED_SECONDS = 3600
"""How long a session that is over is known, so that its page can say so inside the EHR's frame."""


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    handle: str
    iss: str
    view: str = ""
    """Id of the view; empty once the session was ended."""
    ends: float
    """Seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class NewSession:
    """`handle` stands in the page's address and says nothing; `secret` goes into the cookie alone."""

    handle: str
    secret: str
    seconds: int
    """It is over then, however busy."""


@dataclass(frozen=True, slots=True)
class Session:
    """An open session."""

    client: RegisteredClient
    view: str


class Sessions:
    """Begins, finds and ends sessions."""

    def __init__(self, store: ViewerStore, clients: ViewerClients, idle_seconds: int) -> None:
        self._store = store
        self._clients = clients
        self._idle = idle_seconds

    async def begin(self, client: RegisteredClient, view: str, seconds: int) -> NewSession:
        """A session for a view that lives `seconds` more."""
        new = NewSession(secrets.token_urlsafe(12), secrets.token_urlsafe(32), seconds)
        kept = _Kept(handle=new.handle, iss=client.iss, view=view, ends=time.time() + seconds)
        await self._keep(new.secret, kept, seconds + REMEMBERED_SECONDS)
        await self._store.put("seen", new.secret, b"1", self._idle)
        return new

    async def current(self, handle: str, secret: str | None) -> Session:
        """The open session; it is not idle from now on. Raises Ended."""
        kept = await self._find(handle, secret)
        client = self._clients.at(kept.iss)
        seen = await self._store.get("seen", secret or "")
        if not client or not kept.view or seen is None or time.time() >= kept.ends:
            raise Ended("session is over", client)
        await self._store.put("seen", secret or "", b"1", self._idle)
        return Session(client, kept.view)

    async def end(self, handle: str, secret: str | None) -> RegisteredClient | None:
        """The session is over for whoever holds its secret. Raises Ended where there is none."""
        kept = await self._find(handle, secret)
        await self._keep(secret or "", kept.model_copy(update={"view": ""}), REMEMBERED_SECONDS)
        return self._clients.at(kept.iss)

    async def _find(self, handle: str, secret: str | None) -> _Kept:
        found = await self._store.get("session", secret) if secret else None
        kept = _Kept.model_validate_json(found) if found else None
        if kept is None or not hmac.compare_digest(kept.handle.encode(), handle.encode()):
            raise Ended("no session")
        return kept

    async def _keep(self, secret: str, kept: _Kept, seconds: int) -> None:
        await self._store.put("session", secret, kept.model_dump_json().encode(), seconds)


@dataclass(frozen=True, slots=True)
class Cookies:
    """How cookies are written: for https with the prefix that ties them to this host."""

    https: bool

    def name(self, of: str) -> str:
        return f"{'__Host-' if self.https else ''}dxspan-viewer-{of}"

    def written(self, of: str, value: str, seconds: int, *, framed: bool) -> str:
        """A `Set-Cookie`; 0 seconds delete it. `framed`: in another site's page, so the cookie belongs to that page's
        partition."""
        parts = [f"{self.name(of)}={value}", "Path=/", "HttpOnly", f"Max-Age={seconds}"]
        if self.https:
            parts += ["Secure", *(["SameSite=None", "Partitioned"] if framed else ["SameSite=Lax"])]
        else:
            parts.append("SameSite=Lax")
        return "; ".join(parts)
