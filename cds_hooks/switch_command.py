"""`dxspan-switch`: switches a tenant, a diagnosis or a model version off and on again, and shows what is off.

Edits the file that `DXSPAN_SWITCHES_FILE` or `--file` names, whole or not at all; every web process follows within seconds.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import yaml

from cds_hooks.durable_files import write_whole
from cds_hooks.switches import NOTHING_SWITCHED, BadSwitches, Switch, Switches, read_switches

_HEADER = (
    "# What dxspan is not to show, for whom and why. Written by dxspan-switch; followed within seconds of a change.\n"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when done, 2 when the file or the command is wrong."""
    options = _options(arguments)
    path = options.file or os.environ.get("DXSPAN_SWITCHES_FILE")
    if not path:
        print("dxspan-switch: name the file, by --file or DXSPAN_SWITCHES_FILE", file=sys.stderr)
        return 2
    try:
        return _do(options, Path(path))
    except (BadSwitches, OSError) as error:
        print(f"dxspan-switch: {error}", file=sys.stderr)
        return 2


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="dxspan-switch", description=__doc__)
    parser.add_argument("--file", help="the switches file (default: DXSPAN_SWITCHES_FILE)")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("show", help="what is switched off")
    for name, text in (("off", "show no more"), ("shadow", "compute and count, show nothing"), ("on", "as before")):
        command = commands.add_parser(name, help=text)
        command.add_argument("--tenant", help="for this tenant alone")
        command.add_argument("--model-version", help="of this model alone")
        if name != "shadow":
            command.add_argument("--diagnosis", help="its id, e.g. pulmonary_embolism, or its ICD-10-CM code")
        if name != "on":
            command.add_argument("--reason", required=True, help="why; no patient's words")
    return parser.parse_args(arguments)


def _do(options: argparse.Namespace, path: Path) -> int:
    present = read_switches(path) if path.exists() else NOTHING_SWITCHED
    if options.command == "show":
        print("\n".join(_line(one) for one in present.switches) or "nothing is switched off")
        return 0
    what = (options.tenant, getattr(options, "diagnosis", None), options.model_version)
    others = [one for one in present.switches if (one.tenant, one.diagnosis, one.model_version) != what]
    if options.command == "on":
        if len(others) == len(present.switches):
            print("dxspan-switch: that was not switched off; `show` lists what is", file=sys.stderr)
            return 2
    else:
        others.append(
            Switch(
                mode=options.command,
                tenant=what[0],
                diagnosis=what[1],
                model_version=what[2],
                reason=options.reason,
                since=datetime.now(UTC).replace(microsecond=0),
            )
        )
    _write(path, Switches(switches=tuple(others)))
    print("\n".join(_line(one) for one in others) or "nothing is switched off")
    return 0


def _line(one: Switch) -> str:
    named = (("tenant", one.tenant), ("diagnosis", one.diagnosis), ("model", one.model_version))
    what = ", ".join(f"{name} {value}" for name, value in named if value) or "everything"
    return f"{one.mode}: {what} since {one.since.isoformat()} ({one.reason})"


def _write(path: Path, switches: Switches) -> None:
    """Readable to whoever serves."""
    document = yaml.safe_dump(switches.model_dump(mode="json", exclude_none=True), allow_unicode=True, sort_keys=False)
    write_whole(path, (_HEADER + document).encode(), mode=0o644)


if __name__ == "__main__":
    sys.exit(main())
