"""The FHIR server of an export: asks, asks again where that helps, and shows the token to nobody else.

Knows HTTP: tries, 429 and 503, a token that ran out, answers that are too large. Does not know what `$export` is (job) nor
how a token is had (backend_services). Follows no redirect and reads no netrc. Every error is an ExportFailure.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import httpx
import orjson

from training.bulk_export.addresses import origin
from training.bulk_export.failures import ExportFailure, Gone, Refused, Unreachable, codes_of
from training.bulk_export.waits import Waits

TRIES = 8
LARGEST_ANSWER = 64 * 1024 * 1024
"""Bytes of an answer that is held in memory: a manifest of some 200,000 files."""
LATER = frozenset({408, 425, 429, 502, 503, 504})
"""Answers after which asking again may help."""
Content = bytes | Callable[[], bytes] | None
"""A body, or what makes a new one for each try."""
_TIMEOUT = httpx.Timeout(60.0, connect=20.0)


class TokenSource(Protocol):
    """Where access tokens come from."""

    def token(self) -> str: ...

    def forget(self, token: str) -> None:
        """The server took this one no more."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; `value` is its JSON, None where it has none."""

    status: int
    headers: httpx.Headers
    value: Any


def http_client(*, ca_file: Path | None = None, proxy: str | None = None) -> httpx.Client:
    """The one client of an export. Raises ExportFailure for certificates that cannot be read."""
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it writes every URL at INFO, and those may be signed
    try:
        verify: Any = httpx.create_ssl_context(verify=str(ca_file) if ca_file else True, trust_env=False)
        return httpx.Client(verify=verify, proxy=proxy, trust_env=False, follow_redirects=False, timeout=_TIMEOUT)
    except (OSError, ValueError) as error:
        raise ExportFailure(f"the certificates or the proxy cannot be used: {type(error).__name__}") from None


@dataclass(slots=True)
class Server:
    """One server. `trusted`: further origins that may see the token."""

    base: str
    client: httpx.Client
    tokens: TokenSource | None = None
    trusted: tuple[str, ...] = ()
    waits: Waits = field(default_factory=Waits)

    def ask(
        self,
        method: str,
        url: str,
        what: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: Content = None,
        accepted: Callable[[Answer], bool] = lambda answer: answer.status == 200,
    ) -> Answer:
        """The answer to one request, once it is `accepted`. Raises Refused, Gone or Unreachable."""
        with self.open(method, url, what, headers=headers, content=content, refused=True) as response:
            answer = Answer(response.status_code, response.headers, _json(_bounded(response)))
        if not accepted(answer):
            raise refusal(what, answer.status, answer.value)
        return answer

    @contextmanager
    def open(
        self,
        method: str,
        url: str,
        what: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: Content = None,
        token: bool = True,
        refused: bool = False,
    ) -> Iterator[httpx.Response]:
        """An answer whose body is still to be read; one that says no only where `refused`, else it is raised.

        Transport errors while the body is read are the caller's.
        """
        renewed = False
        for attempt in range(TRIES):
            last = attempt == TRIES - 1
            shown = self._token_for(url, what) if token and self.tokens else ""
            response = self._sent(method, url, what, headers or {}, shown, content, last)
            if response is None:
                self.waits.wait(None, attempt)
                continue
            with closing(response):
                if response.status_code == 401 and shown and self.tokens and not renewed:
                    self.tokens.forget(shown)
                    renewed = True
                    continue
                if response.status_code not in LATER or last:
                    if not (response.is_success or refused):
                        raise refusal(what, response.status_code, _json(_bounded(response)))
                    yield response
                    return
                retry_after = response.headers.get("retry-after")
            self.waits.wait(retry_after, attempt)
        raise Unreachable(f"{what}: no answer")

    def _sent(
        self, method: str, url: str, what: str, headers: Mapping[str, str], token: str, content: Content, last: bool
    ) -> httpx.Response | None:
        """None where nothing came back and asking again is right."""
        shown = {"authorization": f"Bearer {token}"} if token else {}
        sent = {"accept-encoding": "identity", **headers, **shown}
        body = content() if callable(content) else content
        try:
            request = self.client.build_request(method, url, headers=sent, content=body)
            return self.client.send(request, stream=True)
        except httpx.ConnectError:
            if not last:
                return None
            raise Unreachable(f"{what}: the server cannot be reached") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            if not last and method == "GET":  # a second kick-off could be a second export
                return None
            raise Unreachable(f"{what}: no answer ({type(error).__name__})") from None

    def _token_for(self, url: str, what: str) -> str:
        allowed = {origin(one, "the server") for one in (self.base, *self.trusted)}
        if origin(url, what) not in allowed:
            raise ExportFailure(
                f"{what} lies on another server and wants the token; name its origin with --also-trust if that is right"
            )
        return self.tokens.token() if self.tokens else ""


def refusal(what: str, status: int, value: object) -> Refused:
    """The failure that an answer is."""
    kind = Gone if status in (404, 410) else Refused
    redirected = "; redirects are not followed" if 300 <= status < 400 else ""
    return kind(f"{what}: the server answers {status}{codes_of(value)}{redirected}", status)


def _bounded(response: httpx.Response) -> bytes:
    """The body, b"" where it is compressed in spite of what was asked for. Raises Unreachable."""
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        return b""
    body = bytearray()
    try:
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > LARGEST_ANSWER:
                raise Unreachable("the server's answer is larger than any manifest")
    except httpx.HTTPError as error:
        raise Unreachable(f"the server's answer broke off ({type(error).__name__})") from None
    return bytes(body)


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
