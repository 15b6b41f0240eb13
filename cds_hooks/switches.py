"""What is switched off, by a file that may change while we serve: a tenant, a diagnosis, a model version; and shadow mode.

Input : a YAML file, edited by hand or by `dxspan-switch`, read again within seconds of a change
Output: the switches in force. A file that is broken or gone changes nothing: the last good state stays, and is counted as a
        fault, since an error of the file's must not switch anything on again.
Knows the file; what follows from a switch is switched_cards' and answer's.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from cds_hooks.json_log import log_event
from cds_hooks.watch import SWITCHES_FAULTY, SWITCHES_OFF

log = logging.getLogger("dxspan.switches")

CHECK_SECONDS = 5.0
"""How often the file is looked at: a switch is to work within 60 s."""


class BadSwitches(ValueError):
    """The file cannot be read as switches."""


class Switch(BaseModel):
    """One thing switched off, or made to run in the shadow. What is left out means all of it."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    mode: Literal["off", "shadow"] = "off"
    """shadow: computed and counted, nothing shown."""
    tenant: str | None = None
    diagnosis: str | None = None
    """Its id in the knowledge, or its ICD-10-CM code."""
    model_version: str | None = None
    reason: str = Field(min_length=1, max_length=200)
    since: datetime

    @model_validator(mode="after")
    def _of_whom(self) -> Self:
        if self.mode == "shadow" and self.diagnosis:
            raise ValueError("a diagnosis is switched off or on, it has no shadow")
        return self

    def meets(self, tenant: str, *, model_version: str | None = None, diagnosis: Sequence[str] = ()) -> bool:
        """Does it mean this tenant, model version and diagnosis (id and code)? None and () are met by no such condition."""
        return (
            self.tenant in (None, tenant)
            and self.model_version in (None, model_version)
            and (self.diagnosis is None or self.diagnosis in diagnosis)
        )


class Switches(BaseModel):
    """All of them; none by default. An entry without tenant, diagnosis and model version switches everything off."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    switches: tuple[Switch, ...] = ()

    def tenant_off(self, tenant: str) -> bool:
        """Is nothing to be read for this tenant, whatever model and diagnosis?"""
        return any(one.mode == "off" and one.meets(tenant) for one in self.switches)

    def model_off(self, tenant: str, model_version: str) -> bool:
        return any(one.mode == "off" and one.meets(tenant, model_version=model_version) for one in self.switches)

    def diagnosis_off(self, tenant: str, model_version: str, diagnosis: str, code: str) -> bool:
        return any(
            one.mode == "off" and one.meets(tenant, model_version=model_version, diagnosis=(diagnosis, code))
            for one in self.switches
        )

    def in_shadow(self, tenant: str, model_version: str) -> bool:
        return any(one.mode == "shadow" and one.meets(tenant, model_version=model_version) for one in self.switches)


NOTHING_SWITCHED = Switches()


def read_switches(path: Path) -> Switches:
    """Raises BadSwitches, whose text names what is wrong and where, or OSError."""
    try:
        document = yaml.safe_load(path.read_text("utf-8"))
        return Switches.model_validate(document if document is not None else {})
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadSwitches(f"{path.name} is no YAML: {type(error).__name__}") from None
    except ValidationError as error:
        first: Any = error.errors(include_input=False, include_url=False)[0]
        raise BadSwitches(f"{path.name}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


class SwitchBoard:
    """The switches in force in this process."""

    def __init__(self, path: Path | None) -> None:
        """path: None = nothing can be switched. A file that is not there yet means that nothing is.

        Raises BadSwitches where there is a file that cannot be read: a process that starts has no last good state.
        """
        self._path = path
        self._seen = _stamp(path)
        self.now = NOTHING_SWITCHED
        self.changed = 0
        """How often, since the start."""
        if path and self._seen is not None:
            self._take(read_switches(path))

    async def run(self) -> None:
        """Follows the file until cancelled."""
        while self._path:
            await asyncio.sleep(CHECK_SECONDS)
            await asyncio.to_thread(self.look)

    def look(self) -> None:
        """Reads the file again if it has changed; whatever is wrong with it, the last good state stays."""
        if self._path is None:
            return
        stamp = _stamp(self._path)
        if stamp == self._seen:
            return
        self._seen = stamp
        try:
            self._take(read_switches(self._path))
        except (BadSwitches, OSError) as error:
            SWITCHES_FAULTY.set(1)
            told = str(error) if isinstance(error, BadSwitches) else type(error).__name__
            log_event(log, "switches not read, the last ones stay", level=logging.ERROR, fault=told)

    def _take(self, switches: Switches) -> None:
        self.now, self.changed = switches, self.changed + 1
        SWITCHES_FAULTY.set(0)
        for mode in ("off", "shadow"):
            SWITCHES_OFF.labels(mode).set(sum(one.mode == mode for one in switches.switches))
        for one in switches.switches:
            what = one.model_dump(mode="json", exclude_none=True)
            log_event(log, "switched", level=logging.WARNING, **what)


def _stamp(path: Path | None) -> tuple[int, int, int] | None:
    """What tells one state of the file from another; None where there is no file."""
    try:
        status = path.stat() if path else None
    except OSError:
        return None
    return (status.st_mtime_ns, status.st_size, status.st_ino) if status else None
