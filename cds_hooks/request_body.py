"""Reads a request's body within bounds of size, time and media type, then as strict JSON or as a form.

Knows ASGI streams. Never holds more than the limit in memory, whatever the headers promise; does not know what the
JSON or the form means.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from cds_hooks import strict_json
from cds_hooks.operation_outcome import BadRequest, BodyTooSlow, TooLarge, UnsupportedMedia

ReadT = TypeVar("ReadT")
SMALL_BYTES = 512 * 1024
MOST_FIELDS = 16
"""Of a form."""
JSON, FORM = "application/json", "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """How large (bytes), slow (seconds) and deep (levels) a body may be."""

    size: int
    seconds: float
    depth: int = strict_json.MAX_DEPTH
    media: tuple[str, ...] = (JSON,)
    """Media types that are taken for JSON."""


async def read_json(request: Request, limits: BodyLimits) -> Any:
    """The body's JSON value. Raises as read_as does."""
    return await read_as(request, limits, lambda body: strict_json.loads(body, max_depth=limits.depth))


async def read_as(request: Request, limits: BodyLimits, reading: Callable[[bytes], ReadT]) -> ReadT:
    """What `reading`, which may raise NotStrictJson, makes of the body's bytes.

    Raises UnsupportedMedia, TooLarge, BodyTooSlow or BadRequest.
    """
    _check_media(request, limits.media)
    body = await _read(request, limits)
    try:
        if len(body) < SMALL_BYTES:
            return reading(body)
        # Reading megabytes takes a tenth of a second: in a thread, so that other calls go on meanwhile.
        return await asyncio.to_thread(reading, body)
    except strict_json.NotStrictJson as error:
        raise BadRequest("The body is not acceptable JSON.", diagnostics=str(error)) from None


async def read_form(request: Request, limits: BodyLimits) -> dict[str, str]:
    """The fields of a form, each of which may come once. Raises as read_json does."""
    _check_media(request, (FORM,))
    try:
        pairs = parse_qsl((await _read(request, limits)).decode("utf-8", "replace"), max_num_fields=MOST_FIELDS)
    except ValueError:
        raise BadRequest("The form has too many fields.") from None
    if len(dict(pairs)) < len(pairs):
        raise BadRequest("A field of the form came twice.")
    return dict(pairs)


def _check_media(request: Request, taken: tuple[str, ...]) -> None:
    media, *parameters = (part.strip().lower() for part in request.headers.get("content-type", "").split(";"))
    if media not in taken:
        raise UnsupportedMedia(f"The body must be {' or '.join(taken)}.", close=True)
    named = (parameter.partition("=") for parameter in parameters)
    if any(name.strip() == "charset" and value.strip(' "') not in ("utf-8", "utf8") for name, _, value in named):
        raise UnsupportedMedia("The body must be UTF-8.", close=True)
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        # Inflating a stranger's body is how 1 kB becomes 1 GB; no CDS client needs it.
        raise UnsupportedMedia("The body must be sent without Content-Encoding.", close=True)


async def _read(request: Request, limits: BodyLimits) -> bytes:
    if int(request.headers.get("content-length", 0)) > 2 * limits.size:
        raise _too_large(limits)
    body = bytearray()
    received = 0
    try:
        async with asyncio.timeout(limits.seconds):
            async for chunk in request.stream():
                received += len(chunk)
                if received <= limits.size:
                    body += chunk
                elif received > 2 * limits.size:
                    break
    except TimeoutError:
        raise BodyTooSlow("The body did not arrive in time.", close=True) from None
    except ClientDisconnect:
        raise BadRequest("The body ended early.", close=True) from None
    if received > limits.size:
        # A body that is only a little too large was read to its end and thrown away: closing a connection with unread
        # bytes in it would reset it, and the caller would never see this answer.
        raise _too_large(limits)
    return bytes(body)


def _too_large(limits: BodyLimits) -> TooLarge:
    return TooLarge(f"The body is larger than {limits.size} bytes.", close=True)
