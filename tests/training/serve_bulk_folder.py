"""The bulk server of the tests as a program, over a folder of NDJSON: `python -m tests.training.serve_bulk_folder FOLDER --ready READY`.

Input : <Type>.<n>.ndjson as `dxspan-train export` writes them     Output: READY/url and READY/key.pem, once it answers
Clients need a token by SMART Backend Services, as at a hospital; the key is made here for the one client and this one run.
Ends on SIGTERM, or when the process that began it is gone.
"""

from __future__ import annotations

import argparse
import os
import signal
import threading
from collections import defaultdict
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.training.bulk_server import Bulk, serving

CLIENT = "data-team"
_LOOK_SECONDS = 1.0


def bulk_of(folder: Path, public_key: ec.EllipticCurvePublicKey) -> Bulk:
    """A patient server: two answers of patience, pages of the manifest, a token for each file."""
    files: dict[str, list[bytes]] = defaultdict(list)
    for path in sorted(folder.glob("*.ndjson")):
        files[path.name.partition(".")[0]].append(path.read_bytes())
    if not files:
        raise SystemExit(f"{folder} holds no .ndjson files")
    return Bulk(files, public_key=public_key, client_id=CLIENT, busy=2, files_per_page=2)


def main() -> int:
    """Serves until it is told to stop."""
    parser = argparse.ArgumentParser(description="A FHIR server's $export on this machine.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--ready", type=Path, required=True, help="folder for url and key.pem")
    options = parser.parse_args()
    key = ec.generate_private_key(ec.SECP384R1())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    options.ready.mkdir(parents=True, exist_ok=True)
    with open(os.open(options.ready / "key.pem", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(pem)
    stop, parent = threading.Event(), os.getppid()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with serving(bulk_of(options.folder, key.public_key())) as bulk:
        (options.ready / "url.part").write_text(bulk.base, encoding="utf-8")
        (options.ready / "url.part").replace(options.ready / "url")
        while not stop.wait(_LOOK_SECONDS) and os.getppid() == parent:
            pass
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
