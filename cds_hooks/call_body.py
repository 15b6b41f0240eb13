"""A hook call's body -> its JSON value and its prefetch, which is not read where these very bytes were read before.

Input: bytes. Output: the document as strict JSON gives it, a digest that makes two calls the same, and the prefetch with a mark
of its bytes. Whatever is refused is refused by reading the body whole: one way of saying what is wrong.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cds_hooks import strict_json
from cds_hooks.hook_request import HookRequest, read_hook_request
from cds_hooks.opened_charts import OpenedCharts
from cds_hooks.parted_body import KEY, parted


class Prefetch(Mapping[str, Any]):
    """A prefetch with the mark of its bytes; read when it is first looked into."""

    def __init__(self, mark: bytes, *, value: dict[str, Any] | None = None, unread: bytes = b"") -> None:
        """Either its `value`, or bytes that are `unread` in this call and were read as strict JSON in another."""
        self.mark = mark
        self._value = value
        self._unread = unread

    def read(self) -> dict[str, Any]:
        """All of it."""
        if self._value is None:
            self._value = strict_json.loads(self._unread)
        return self._value

    def __getitem__(self, key: str) -> Any:
        return self.read()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.read())

    def __len__(self) -> int:
        return len(self.read())


@dataclass(frozen=True, slots=True)
class CallBody:
    """What came."""

    document: Any
    """Without its prefetch where that is unread."""
    size: int
    """Bytes of all of it."""
    digest: bytes
    """The same for the same bytes, in this process alone."""
    prefetch: Prefetch | None = None
    """None where it could not be told apart."""

    def request(self, hook: str) -> HookRequest:
        """The request for a service that serves `hook`. Raises BadRequest."""
        request = read_hook_request(self.document, hook)
        return request.model_copy(update={KEY: self.prefetch}) if self.prefetch is not None else request


class CallBodies:
    """Reads bodies, knowing what was read before."""

    def __init__(self, opened: OpenedCharts) -> None:
        self._opened = opened

    def read(self, body: bytes, tenant: str) -> CallBody:
        """Raises NotStrictJson."""
        return self._in_parts(body, tenant) or CallBody(
            strict_json.loads(body), len(body), hashlib.sha256(body).digest()
        )

    def _in_parts(self, body: bytes, tenant: str) -> CallBody | None:
        parts = parted(body, max_depth=strict_json.MAX_DEPTH)
        if parts is None:
            return None
        mark = self._opened.mark(parts.prefetch)
        digest = hashlib.sha256(parts.around + b"\0" + mark).digest()
        if self._opened.known(tenant, mark):
            return CallBody(parts.rest, len(body), digest, Prefetch(mark, unread=parts.prefetch))
        try:
            value = strict_json.loads(parts.prefetch, max_depth=strict_json.MAX_DEPTH - 1)
        except strict_json.NotStrictJson:
            return None
        return CallBody(parts.rest | {KEY: value}, len(body), digest, Prefetch(mark, value=value))
