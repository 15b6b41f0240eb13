"""The switches' file: read at start, followed while serving, edited in one piece.

Input : a YAML (or JSON) file, edited by hand or by `dxspan-switch`
Output: the switches in force. A change counts once two looks in a row have found the same; a file that is empty, half
        saved, broken or gone changes nothing: the last good state stays, and is counted, logged and seen in /readyz,
        since an error of the file's must not switch anything on again. At start there is none yet: BadSwitches.
Knows the file and time; what follows from a switch is switches' and switched_answers'.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

import yaml
from pydantic import ValidationError

from cds_hooks.switches import NOTHING_SWITCHED, Switch, Switches
from cds_hooks.watch import SWITCHES_FAULTS, SWITCHES_FAULTY, SWITCHES_OFF
from nlp_core.durable_files import write_whole
from worker.json_log import log_event

log = logging.getLogger("dxspan.switches")

LOOK_SECONDS = 2.0
"""How often the file is looked at. Two looks must agree: a switch works within a few seconds, and has to within 60."""
MOST_RESTLESS_LOOKS = 15
"""A file that no two looks find alike for so long is a fault of its own."""
MOST_BLIND_SECONDS = 30.0
"""Without a look for so long, the disk hangs."""
MAX_BYTES = 256 * 1024
HEADER = (
    "# What dxspan is not to show, for whom and why.\n"
    "# dxspan-switch writes this file; other comments are lost when it does.\n"
)
_OUR_WORDS = ("switches", *Switch.model_fields)

Kind = Literal["missing", "unreadable", "invalid", "restless"]


class BadSwitches(ValueError):
    """The file cannot be read as switches; its text says what is wrong and where, and quotes nothing of it."""

    def __init__(self, kind: Kind, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class Look(NamedTuple):
    """What one look at the file has found."""

    stamp: tuple[int, int, int] | None
    """Time of change, size and inode; None where there is no file."""
    content: bytes
    fault: BadSwitches | None

    def same_as(self, other: Look) -> bool:
        return (self.stamp, self.content, str(self.fault)) == (other.stamp, other.content, str(other.fault))


class SwitchBoard:
    """The switches in force in this process."""

    def __init__(self, path: Path | None) -> None:
        """path: None = nothing can be switched. Raises BadSwitches where the file cannot be used, or is not there."""
        self._path = path
        self.now = NOTHING_SWITCHED
        self.changed = 0
        """How often the switches have changed since the start."""
        self.fault: BadSwitches | None = None
        """What is wrong with the file, while the last good state stays in force."""
        self._restless = 0
        self._looked = time.monotonic()
        if path:
            SWITCHES_FAULTY.set_function(lambda: float(self.faulty))
            self._judged = self._last = look_at(path)
            self._says = _says(self._last)
            """What the file said when two looks had found `_judged`: a broken one is not parsed at each look."""
            if isinstance(self._says, BadSwitches):
                raise self._says
            self._put_in_force(self._says)

    @property
    def faulty(self) -> bool:
        """Can the file not be followed, be it for what it says or for a disk that hangs?"""
        return bool(self._path) and (bool(self.fault) or time.monotonic() - self._looked > MOST_BLIND_SECONDS)

    async def run(self) -> None:
        """Follows the file until cancelled; the looks are a thread's, so that a slow disk stalls no answer."""
        while self._path:
            await asyncio.sleep(LOOK_SECONDS)
            await asyncio.to_thread(self.look)

    def look(self) -> None:
        """Looks once, and takes over what two looks have found alike; never raises."""
        if self._path is None:
            return
        found, before = look_at(self._path), self._last
        self._last, self._looked = found, time.monotonic()
        if found.same_as(before):
            self._restless = 0
            self._settled(found)
            return
        self._restless += 1
        if self._restless > MOST_RESTLESS_LOOKS:
            self._faulty(BadSwitches("restless", "the file is never the same twice"))

    def _settled(self, found: Look) -> None:
        if not found.same_as(self._judged):
            self._judged, self._says = found, _says(found)
        if isinstance(self._says, BadSwitches):
            self._faulty(self._says)
            return
        if self.fault:
            log_event(log, "switches file good again")
        self.fault = None
        if self._says != self.now:
            self._put_in_force(self._says)

    def _faulty(self, fault: BadSwitches) -> None:
        """Counted at each look, logged when it is news."""
        SWITCHES_FAULTS.labels(fault.kind).inc()
        if str(fault) != str(self.fault):
            event = "switches not read, the last ones stay"
            log_event(log, event, level=logging.ERROR, kind=fault.kind, fault=str(fault))
        self.fault = fault

    def _put_in_force(self, switches: Switches) -> None:
        before, self.now, self.changed = self.now, switches, self.changed + 1
        for mode in ("off", "shadow"):
            SWITCHES_OFF.labels(mode).set(sum(one.mode == mode for one in switches.switches))
        for one in switches.switches:
            log_event(log, "switched", level=logging.WARNING, **_described(one))
        kept = {(one.mode, one.what) for one in switches.switches}
        for one in before.switches:
            if (one.mode, one.what) not in kept:
                log_event(log, "switched no longer", level=logging.WARNING, **_described(one))


def _described(switch: Switch) -> dict[str, Any]:
    return switch.model_dump(mode="json", exclude_none=True, exclude={"reason"})


def look_at(path: Path) -> Look:
    """The file's stamp and bytes, or what keeps them from being read."""
    try:
        status = path.stat()
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return Look(None, b"", BadSwitches("missing", "there is no such file"))
    except OSError as error:
        return Look(None, b"", BadSwitches("unreadable", f"it cannot be read ({type(error).__name__})"))
    stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
    too_large = BadSwitches("invalid", f"it is larger than {MAX_BYTES} bytes") if len(content) > MAX_BYTES else None
    return Look(stamp, content, too_large)


def _says(found: Look) -> Switches | BadSwitches:
    try:
        return found.fault or parsed(found.content)
    except BadSwitches as fault:
        return fault


def read_switches(path: Path) -> Switches:
    """What the file says now. Raises BadSwitches."""
    found = look_at(path)
    if found.fault:
        raise found.fault
    return parsed(found.content)


def parsed(content: bytes) -> Switches:
    """The switches in a file's bytes. Raises BadSwitches, also for an empty file: a full disk leaves those."""
    try:
        document = yaml.safe_load(content)
    except Exception:  # whatever a parser may raise, depth and time zones included: following must outlive it
        raise BadSwitches("invalid", "it is no YAML") from None
    if not isinstance(document, dict) or "switches" not in document:
        raise BadSwitches("invalid", "it has no list `switches`; where nothing is off it says `switches: []`")
    try:
        return Switches.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        # An unknown key would quote the file: places and our own names are told, nothing else.
        place = ".".join(str(step) for step in first["loc"] if isinstance(step, int) or step in _OUR_WORDS)
        raise BadSwitches("invalid", f"{place or 'the file'}: {first['msg'].removeprefix('Value error, ')}") from None


def edit(path: Path, change: Callable[[Switches], Switches]) -> Switches:
    """Changes the file in one piece, one editor after the other; where there is none it is begun.

    Whoever reads sees the old content or the new. Raises BadSwitches where the file is broken now, and OSError.
    """
    path = path.resolve()  # behind a link the file is replaced, not the link
    with _alone(path.parent):
        exists = path.exists()
        after = change(read_switches(path) if exists else NOTHING_SWITCHED)
        document = yaml.safe_dump(after.model_dump(mode="json", exclude_none=True), allow_unicode=True, sort_keys=False)
        mode = path.stat().st_mode & 0o777 if exists else 0o644  # readable to whoever serves
        write_whole(path, (HEADER + document).encode(), mode=mode)
    return after


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One editor at a time, by a lock on the folder: no lock file is left behind."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
