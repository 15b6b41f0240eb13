"""Keys and signed tokens of an invented EHR."""

from __future__ import annotations

import json
import math
import time
import uuid
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

ISSUER = "https://ehr.example.org/"
JKU = "https://ehr.example.org/jwks.json"
EC_KEY = ec.generate_private_key(ec.SECP384R1())
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
P256_KEY = ec.generate_private_key(ec.SECP256R1())


def jwk(kid: str, key: Any, **more: Any) -> dict[str, Any]:
    """The public JWK of a private key."""
    algorithm = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    public: dict[str, Any] = json.loads(algorithm.to_jwk(key.public_key()))
    return public | {"kid": kid, "use": "sig"} | more


def key_set() -> dict[str, Any]:
    return {"keys": [jwk("ec", EC_KEY), jwk("rsa", RSA_KEY), jwk("p256", P256_KEY)]}


def claims(aud: Any, /, **changes: Any) -> dict[str, Any]:
    """The claims of a fresh token; `...` removes one."""
    now = math.ceil(time.time())
    fresh = {"iss": ISSUER, "aud": aud, "exp": now + 120, "iat": now, "jti": str(uuid.uuid4())}
    return {name: value for name, value in (fresh | changes).items() if value is not ...}


def token(
    aud: Any, /, *, key: Any = EC_KEY, algorithm: str = "ES384", headers: dict[str, Any] | None = None, **changes: Any
) -> str:
    """A signed token for `aud`; `headers` are added to alg, kid and typ, `changes` to the claims."""
    return signed(json.dumps(claims(aud, **changes)).encode(), key=key, algorithm=algorithm, headers=headers)


def signed(
    payload: bytes, *, key: Any = EC_KEY, algorithm: str = "ES384", headers: dict[str, Any] | None = None
) -> str:
    """Any payload signed, without what PyJWT would check of it first."""
    given = {"kid": "rsa" if algorithm.startswith("RS") else "ec", "typ": "JWT"} | (headers or {})
    return jwt.api_jws.encode(payload, key, algorithm, given)


def bearer(text: str) -> dict[str, str]:
    return {"authorization": f"Bearer {text}"}
