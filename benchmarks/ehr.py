"""An invented EHR that signs its calls: one key, a key set on disk, and requests ready to be sent.

Knows tokens as CDS Hooks asks for them (ES384, one `jti` each) and HTTP as bytes, so that sending costs next to nothing.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from benchmarks.calls_at_once import SERVICE, http_request

ISSUER = "https://ehr.example.org/"
TOKEN_SECONDS = 280
"""Less than the longest lifetime that dxspan accepts."""


class Ehr:
    """Signs calls to one service."""

    def __init__(self, folder: Path) -> None:
        """`folder`: where the public keys are written for the service to find."""
        self._key = ec.generate_private_key(ec.SECP384R1())
        self._file = folder / "ehr-keys.json"
        public = json.loads(ECAlgorithm.to_jwk(self._key.public_key())) | {"kid": "1", "use": "sig", "alg": "ES384"}
        self._file.write_text(json.dumps({"keys": [public]}))

    def environment(self, base_url: str) -> dict[str, str]:
        """Settings of a web process at `base_url` that trusts this EHR and nobody else."""
        issuers = {ISSUER: {"tenant": "north", "jwks_file": str(self._file)}}
        return {
            "DXSPAN_DEVELOPMENT": "true",  # http at a loopback address
            "DXSPAN_AUTH": "true",
            "DXSPAN_PUBLIC_BASE_URL": base_url,
            "DXSPAN_TRUSTED_ISSUERS": json.dumps(issuers),
        }

    def signed(self, bodies: Sequence[dict[str, Any]], base_url: str) -> list[bytes]:
        """The calls as they go over the wire, each with a token of its own, good for TOKEN_SECONDS."""
        now = math.floor(time.time())
        claims = {"iss": ISSUER, "aud": base_url + SERVICE, "iat": now, "exp": now + TOKEN_SECONDS}
        return [http_request(orjson.dumps(body), token=self._token(claims | {"jti": str(uuid4())})) for body in bodies]

    def _token(self, claims: dict[str, Any]) -> str:
        return jwt.encode(claims, self._key, algorithm="ES384", headers={"kid": "1"})
