"""`python -m cds_hooks.transparency`: writes measured.json from the repository's files, or checks it (`--check`).

To be run after whatever measures anew: evaluation, calibration, fairness, simulation, a new bundle.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from cds_hooks.transparency.figures import MEASURED, Value
from cds_hooks.transparency.places import PLACES, look_up

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m cds_hooks.transparency", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; 1 where a figure is stale")
    parser.add_argument("--root", type=Path, default=ROOT, help="the repository (default: this one)")
    options = parser.parse_args(arguments)
    found = look_up(options.root)
    if not options.check:
        MEASURED.write_text(written(found), encoding="utf-8")
        return 0
    stale = list(differences(found))
    for line in stale:
        print(line, file=sys.stderr)
    return 1 if stale else 0


def written(found: dict[str, Value]) -> str:
    """measured.json."""
    figures = {
        name: {"value": value, "file": PLACES[name].file, "place": PLACES[name].text} for name, value in found.items()
    }
    return json.dumps({"figures": figures}, ensure_ascii=False, indent=1) + "\n"


def differences(found: dict[str, Value]) -> Iterator[str]:
    """One line for each figure of measured.json that its file does not say."""
    kept = json.loads(MEASURED.read_text(encoding="utf-8"))["figures"]
    for name in sorted({*kept, *found}):
        old, new = kept.get(name, {}).get("value"), found.get(name)
        if old != new:
            place = PLACES.get(name)
            said = f"{place.file} ({place.text}) says {new!r}" if place else "is no figure any more"
            yield f"{name}: measured.json says {old!r}, {said}; run `python -m cds_hooks.transparency`"


if __name__ == "__main__":
    sys.exit(main())
