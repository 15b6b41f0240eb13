"""The evidence viewer as it is registered at the demo EHR.

Input: settings of a process that serves the demo. Output: the same with one more viewer client, at the demo's FHIR server,
whose pages may stand in a frame of the demo. Knows addresses; the authorization server itself is smart_server.
"""

from __future__ import annotations

from cds_hooks.server_address import ServerAddress
from cds_hooks.settings import Settings
from cds_hooks.viewer.viewer_client import ViewerClient

CLIENT_ID = "dxspan-viewer"
FHIR_PATH = "/demo/fhir"


def fhir_server(settings: Settings) -> str:
    """The FHIR server that the demo's hook calls name. It holds no resources: each call brings its whole prefetch."""
    return settings.public_base_url + FHIR_PATH


def with_demo_viewer(settings: Settings) -> Settings:
    """`settings` as they are, where the demo is not served."""
    if not settings.demo_page:
        return settings
    base, origin = fhir_server(settings), ServerAddress.parse(settings.public_base_url).origin
    client = ViewerClient(tenant=settings.tenant, client_id=CLIENT_ID, frame_ancestors=(origin,))
    more = {
        "fhir_servers": (*settings.fhir_servers, base),
        "viewer_clients": {**settings.viewer_clients, base: client},
    }
    return settings.model_copy(update=more)
