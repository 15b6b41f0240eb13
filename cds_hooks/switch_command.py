"""`dxspan-switch`: switches a tenant, a diagnosis or a model version off and on again, shows what is off, and compares.

Edits the file that `DXSPAN_SWITCHES_FILE` or `--file` names, whole or not at all; every web process follows in seconds.
Knows the command line. A diagnosis that the knowledge does not have is refused: a switch with a slip in its name would
switch nothing.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path

from pydantic import ValidationError

from cds_hooks.switches import ICD_10_CODE, Switch, Switches, plain_code
from cds_hooks.switches_file import BadSwitches, edit, read_switches

MOST_DAYS = 3650
FILE, DATABASE = "DXSPAN_SWITCHES_FILE", "DXSPAN_FEEDBACK_DATABASE_URL"


class BadCommand(ValueError):
    """Something given is wrong; the text says what."""


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when done, 2 when the file or the command is wrong."""
    options = _options(arguments)
    try:
        lines = _compare(options) if options.command == "compare" else _switch(options)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        return _wrong(" ".join([*map(str, first["loc"]), first["msg"].removeprefix("Value error, ")]))
    except (BadCommand, BadSwitches, OSError) as error:
        return _wrong(str(error))
    print("\n".join(lines))
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="dxspan-switch", description=__doc__)
    parser.add_argument("--file", help=f"the switches file (default: {FILE})")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("show", help="what is off or in the shadow")
    texts = {"off": "show no more", "shadow": "read and keep for comparison, show nothing", "on": "as before"}
    for name, text in texts.items():
        command = commands.add_parser(name, help=text)
        command.add_argument("--tenant", help="for this tenant alone")
        command.add_argument("--model-version", help="of this model alone, as cards say it")
        if name != "shadow":
            command.add_argument("--diagnosis", help="its id, e.g. pulmonary_embolism, its ICD-10-CM code or category")
        if name != "on":
            command.add_argument("--reason", required=True, help="why; no patient's words")
        if name == "off":
            command.add_argument("--unchecked", action="store_true", help="a diagnosis that the knowledge here lacks")
    compare = commands.add_parser("compare", help="what models in the shadow would have shown beside what was shown")
    compare.add_argument("--days", type=int, default=14, help="how far back (default: %(default)s)")
    compare.add_argument("--tenant", help="of this tenant alone")
    return parser.parse_args(arguments)


def _switch(options: argparse.Namespace) -> list[str]:
    name = options.file or os.environ.get(FILE)
    if not name:
        raise BadCommand(f"name the file, by --file or {FILE}")
    path = Path(name)
    if options.command == "show":
        return _told(read_switches(path))
    what = (options.tenant, getattr(options, "diagnosis", None), options.model_version)
    if options.command == "on":
        return _told(edit(path, lambda present: _switched_on(present, what)))
    switch = Switch(
        mode=options.command,
        tenant=what[0],
        diagnosis=what[1],
        model_version=what[2],
        reason=options.reason,
        since=datetime.now(UTC).replace(microsecond=0),
    )
    if switch.diagnosis and not options.unchecked:
        _check(switch.diagnosis)
    return _told(edit(path, lambda present: Switches(switches=(*_others(present, switch.what), switch))))


def _switched_on(present: Switches, what: tuple[str | None, ...]) -> Switches:
    others = _others(present, what)
    if len(others) == len(present.switches):
        raise BadCommand("that was not switched off; `show` lists what is")
    return Switches(switches=others)


def _others(present: Switches, what: tuple[str | None, ...]) -> tuple[Switch, ...]:
    return tuple(one for one in present.switches if one.what != what)


def _told(switches: Switches) -> list[str]:
    return [_line(one) for one in switches.switches] or ["nothing is switched off"]


def _line(one: Switch) -> str:
    named = (("tenant", one.tenant), ("diagnosis", one.diagnosis), ("model", one.model_version))
    what = ", ".join(f"{name} {value}" for name, value in named if value) or "everything"
    return f"{one.mode}: {what} since {one.since.isoformat()} ({one.reason})"


def _check(diagnosis: str) -> None:
    """Raises BadCommand where the knowledge has no such diagnosis."""
    from nlp_core.bundle_errors import BundleError  # a second that `show` and `on` need not wait for
    from nlp_core.model_bundle import Bundle, composed_bundle_path

    try:
        known = Bundle.open(composed_bundle_path()).knowledge().diagnoses
    except (BundleError, OSError):
        print("no model bundle here to check the diagnosis by; it is switched as it is written", file=sys.stderr)
        return
    if diagnosis in known:
        return
    if ICD_10_CODE.fullmatch(diagnosis.upper()):
        code = plain_code(diagnosis.upper())
        if any(plain_code(one.icd10cm).startswith(code) for one in known.values()):
            return
        raise BadCommand(
            f"no diagnosis of the knowledge has the code {diagnosis}; --unchecked switches it all the same"
        )
    alike = " or ".join(get_close_matches(diagnosis, known, n=3))
    raise BadCommand(
        f"the knowledge has no diagnosis {diagnosis}{f' (is it {alike}?)' if alike else ''}; "
        "--unchecked switches it all the same"
    )


def _compare(options: argparse.Namespace) -> list[str]:
    from sqlalchemy.exc import SQLAlchemyError  # half a second that moving a switch need not wait for

    from cds_hooks.database import open_engine
    from cds_hooks.memory.shadow_comparison import compared, kept_answers, told
    from cds_hooks.settings import Settings

    url = os.environ.get(DATABASE) or Settings.model_fields["feedback_database_url"].default.get_secret_value()
    try:
        if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).is_file():
            raise BadCommand(f"there is no feedback database; {DATABASE} names it")  # opening would make an empty one
        since = datetime.now(UTC) - timedelta(days=min(options.days, MOST_DAYS))
        return list(told(compared(kept_answers(open_engine(url), since=since, tenant=options.tenant))))
    except (SQLAlchemyError, OSError, ImportError) as error:
        # Without its text, which may hold the address.
        raise BadCommand(f"the feedback database cannot be read ({type(error).__name__})") from None


def _wrong(text: str) -> int:
    print(f"dxspan-switch: {text}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
