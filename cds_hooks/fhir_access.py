"""Which FHIR server may be called for a request, if any.

Knows the registered bases of a client and what development allows. The address in a request is the caller's word:
it only ever chooses among bases that the operator wrote down.
"""

from __future__ import annotations

from cds_hooks.fhir_server import FhirLimits, FhirServer
from cds_hooks.hook_request import HookRequest
from cds_hooks.operation_outcome import BadRequest, Forbidden
from cds_hooks.outbound import NetworkRules, Outbound
from cds_hooks.security_events import security_event
from cds_hooks.server_address import ServerAddress
from cds_hooks.settings import Settings
from cds_hooks.trust import Caller


def server_for(request: HookRequest, caller: Caller, settings: Settings, outbound: Outbound) -> FhirServer | None:
    """The server to fetch from with the request's token; None when there is no server, no token or a spent one.

    Raises BadRequest for http outside development, Forbidden for a base that is not registered for this client. A
    client that need not authenticate is not refused: its server is simply never called.
    """
    if not request.fhir_server:
        return None
    address = ServerAddress.parse(request.fhir_server)
    if address.scheme != "https" and not settings.development:
        raise BadRequest("The FHIR server must be https.", expression=["fhirServer"])
    loopback = settings.development and address.is_loopback
    registered = loopback or any(address == ServerAddress.parse(base) for base in caller.fhir_servers)
    if not registered and caller.authenticated:
        security_event("unregistered-fhir-server", tenant=caller.tenant, hookInstance=str(request.instance))
        raise Forbidden("The FHIR server is not registered for this client.", expression=["fhirServer"])
    token = request.fhir_authorization
    if not registered or not token or not token.usable:
        return None
    rules = NetworkRules(private=caller.private_network, loopback=loopback)
    return FhirServer(address, token, outbound, rules, limits_of(settings))


def limits_of(settings: Settings) -> FhirLimits:
    """How much is taken from any server."""
    return FhirLimits(settings.max_fhir_bytes, settings.max_pages, settings.max_entries)
