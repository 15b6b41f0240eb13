"""A token endpoint of SMART Backend Services on loopback: checks the assertion as a server would, or misbehaves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fhir_server import TOKEN
from tests.server_thread import LoopbackServer
from worker.local_redis import free_port

CLIENT_ID = "dxspan-backend"
KEY = ec.generate_private_key(ec.SECP384R1())
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@dataclass
class TokenServer(LoopbackServer):
    """`with TokenServer() as tokens:` grants TOKEN at `tokens.url` to whoever signs with KEY."""

    granted: dict[str, Any] = field(
        default_factory=lambda: {"access_token": TOKEN, "token_type": "bearer", "expires_in": 300}
    )
    status: int = 200
    seen: list[dict[str, Any]] = field(default_factory=list)
    """Claims of each assertion."""
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/token"

    def routes(self) -> list[Route]:
        return [Route("/token", self._grant, methods=["POST"])]

    async def _grant(self, request: Request) -> Response:
        form = dict(item.split("=", 1) for item in (await request.body()).decode().split("&"))
        assertion = form["client_assertion"]
        assert jwt.get_unverified_header(assertion)["kid"] == "key-1"
        claims = jwt.decode(assertion, KEY.public_key(), algorithms=["ES384"], audience=self.url, issuer=CLIENT_ID)
        assert claims["sub"] == CLIENT_ID
        assert form["grant_type"] == "client_credentials"
        self.seen.append(claims)
        return JSONResponse(self.granted if self.status == 200 else {"error": "invalid_client"}, self.status)
