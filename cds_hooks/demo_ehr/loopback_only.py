"""Who may see the demo EHR: this machine alone, by a name of this machine.

Any other client, and any other name for this machine (a page elsewhere whose name was made to point here), gets what it
would get without the demo.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from ipaddress import ip_address

from starlette.requests import Request
from starlette.responses import Response

from cds_hooks.operation_outcome import NotFound
from cds_hooks.server_address import BadAddress, ServerAddress

Handler = Callable[[Request], Awaitable[Response]]


def here_alone(handler: Handler) -> Handler:
    """`handler`, for this machine."""

    async def handle(request: Request) -> Response:
        if not is_local(request):
            raise NotFound("There is no such page.")
        return await handler(request)

    return handle


def is_local(request: Request) -> bool:
    """Does the request come from this machine, and by a name of this machine?"""
    try:
        named = ServerAddress.parse(f"http://{request.headers.get('host', '')}").is_loopback
        return named and request.client is not None and ip_address(request.client.host).is_loopback
    except (BadAddress, ValueError):
        return False
