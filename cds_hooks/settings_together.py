"""Which settings are refused together: no value is wrong, but the deployment would be.

Input: settings whose values have been checked one by one. Output: nothing, or ValueError whose words name settings and no value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cds_hooks.server_address import ServerAddress
from cds_hooks.trusted_issuer import plain_address
from cds_hooks.viewer.viewer_client import ViewerClient

if TYPE_CHECKING:
    from cds_hooks.settings import Settings


def check_together(settings: Settings) -> None:
    """Raises ValueError."""
    if settings.reserve_ms >= settings.deadline_ms:
        raise ValueError("reserve_ms must be smaller than deadline_ms")
    if (settings.feedback_keep_days or 36_500) < max(
        settings.override_days, settings.accepted_days, settings.acceptance_days
    ):
        raise ValueError("feedback_keep_days must be at least override_days, accepted_days and acceptance_days")
    if settings.auth_on and not settings.trusted_issuers:
        raise ValueError(
            "auth is on but trusted_issuers is empty: name the EHR's issuer, or set development=true on a "
            "developer's machine"
        )
    if not settings.development:
        _refuse_http(settings)
    if settings.demo_page and not (
        settings.development and not settings.auth_on and ServerAddress.parse(settings.public_base_url).is_loopback
    ):
        raise ValueError("demo_page is for development at a loopback address without tokens, and for nothing else")
    for url, client in settings.viewer_clients.items():
        _check_viewer(settings, plain_address(url), client)


def _check_viewer(settings: Settings, base: str, client: ViewerClient) -> None:
    bases = [
        url for one in settings.trusted_issuers.values() if one.tenant == client.tenant for url in one.fhir_servers
    ]
    if client.tenant == settings.tenant and not settings.auth_on:
        bases += settings.fhir_servers
    if base not in bases:
        raise ValueError("viewer_clients names a FHIR server that is not registered for that tenant")
    if not settings.development and not settings.public_base_url.startswith("https://"):
        raise ValueError("the viewer needs an https public_base_url outside development")


def _refuse_http(settings: Settings) -> None:
    urls = [*settings.fhir_servers, *(url for issuer in settings.trusted_issuers.values() for url in issuer.urls)]
    urls += [url for server in settings.subscriptions.values() for url in server.urls]
    if settings.auth_on and not settings.public_base_url.startswith("https://"):
        raise ValueError("public_base_url must be the https address clients call: a token's aud is checked by it")
    if any(not url.startswith("https://") for url in urls):
        raise ValueError("FHIR servers and JWK Sets must be https outside development")
