"""The client's FHIR server, read with the token of one call: searches with their pages, single resources, attachments.

Knows FHIR's REST reads. Only GET, only under the registered base, only within the token's scopes; the token goes into
one header and nowhere else. Raises FhirFailure with a fixed word; nothing an answer says is repeated.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from cds_hooks import strict_json
from cds_hooks.hook_request import FhirAuthorization
from cds_hooks.outbound import Fetched, NetworkRules, Outbound, TooSlow, Unreachable
from cds_hooks.prefetch import Reason, Resource, Supply, read_value, with_page
from cds_hooks.server_address import BadAddress, ServerAddress
from cds_hooks.services import PrefetchTemplate
from cds_hooks.smart_scopes import Interaction, allows
from nlp_core.attachments import BinaryContent

_FHIR_JSON = "application/fhir+json, application/json;q=0.9"
_JSON_TYPES = ("application/fhir+json", "application/json", "application/json+fhir")
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9.+-]{1,60}/[A-Za-z0-9.+-]{1,60}")
_NOT_AUTHORIZED = (401, 403)


class FhirFailure(Exception):
    """The FHIR server did not give what was asked for; `reason` says which way."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


@dataclass(frozen=True, slots=True)
class FhirLimits:
    """How much is taken from the server."""

    answer_bytes: int
    pages: int
    entries: int


class FhirServer:
    """One FHIR server for the length of one call."""

    def __init__(
        self, base: ServerAddress, token: FhirAuthorization, outbound: Outbound, rules: NetworkRules, limits: FhirLimits
    ) -> None:
        self.base = base
        self._token = token
        self._outbound = outbound
        self._rules = rules
        self._limits = limits

    async def fetch(self, template: PrefetchTemplate, patient_id: str, *, by: float) -> Supply:
        """What the client would have sent for `template`, all its pages.

        `by`: `time.monotonic()` seconds after which no more is waited for. Raises FhirFailure.
        """
        interaction: Interaction = "search" if template.query.startswith("?") else "read"
        if not allows(self._token.scope, template.resource_type, interaction):
            raise FhirFailure("not-authorized")
        first = read_value(template, await self._json(template.relative_url(patient_id), by))
        return await self.follow(template, first, by=by)

    async def follow(self, template: PrefetchTemplate, first: Supply, *, by: float) -> Supply:
        """`first` with the pages after it; a page that cannot be had is a `reason`, not an error."""
        supply = first
        for _ in range(self._limits.pages):
            if not supply.next_url or len(supply.entries) >= self._limits.entries:
                break
            try:
                page = read_value(template, await self._json(supply.next_url, by))
            except FhirFailure as failure:
                return with_page(supply, Supply("failed", reason=failure.reason))
            supply = with_page(supply, page)
        return with_page(supply, Supply("read", reason="not-fetched")) if supply.next_url else supply

    async def attachment(self, url: str, content_type: str, *, by: float) -> BinaryContent:
        """The bytes behind an attachment's URL, which must lie under the base. Raises FhirFailure."""
        accept = f"{content_type}, */*;q=0.5" if _MEDIA_TYPE.fullmatch(content_type) else "*/*"
        fetched = await self._get(url, accept, by)
        return BinaryContent(fetched.body, fetched.media_type)

    async def _json(self, url: str, by: float) -> Resource:
        fetched = await self._get(url, _FHIR_JSON, by)
        if fetched.media_type not in _JSON_TYPES:
            raise FhirFailure("malformed")
        try:
            value = strict_json.loads(fetched.body)
        except strict_json.NotStrictJson:
            raise FhirFailure("malformed") from None
        if not isinstance(value, dict):
            raise FhirFailure("malformed")
        return value

    async def _get(self, url: str, accept: str, by: float) -> Fetched:
        headers = {"authorization": f"Bearer {self._token.access_token}", "accept": accept}
        try:
            fetched = await self._outbound.get(
                self.base.inside(url),
                self._rules,
                headers=headers,
                max_bytes=self._limits.answer_bytes,
                seconds=by - time.monotonic(),
            )
        except BadAddress:
            raise FhirFailure("not-available") from None
        except TooSlow:  # whatever the clock says: an event loop's own may run a little behind it
            raise FhirFailure("deadline") from None
        except Unreachable:
            raise FhirFailure("deadline" if time.monotonic() >= by else "not-available") from None
        if fetched.status != 200:
            raise FhirFailure("not-authorized" if fetched.status in _NOT_AUTHORIZED else "not-available")
        return fetched
