"""Draws docs/operators.png: the operators' page of a morning with a fault, wide, and beside it in Chinese as narrow as a telephone.

`python docs/draw_operators.py` (needs Chromium). The numbers are invented by a seed (tests/cds_hooks/operators/states.py); page, style and
judgements are the real ones.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from cds_hooks.memory.counted_readings import Drift  # noqa: E402  the path comes first
from cds_hooks.operators.page_view import view_of  # noqa: E402
from cds_hooks.operators.pages import PATH, STATIC, rendered  # noqa: E402
from cds_hooks.operators.process_state import State  # noqa: E402
from docs.pictures import beside, served, shot  # noqa: E402
from nlp_core.assessment import Language  # noqa: E402
from tests.cds_hooks.operators.states import WELL_DRIFT, hour, populations, queue, well  # noqa: E402

PICTURE = ROOT / "docs" / "operators.png"
WIDE, NARROW, HEIGHT = 1280, 400, 1180
VERSION = "0.1.0"


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        site = folder / "site"
        (site / PATH.strip("/")).mkdir(parents=True)
        (site / PATH.strip("/") / "static").symlink_to(STATIC)
        languages: tuple[Language, ...] = ("en", "zh")
        for language in languages:
            view = view_of(morning_with_a_fault(), language, version=VERSION)
            (site / f"{language}.html").write_text(rendered(view), encoding="utf-8")
        with served(site) as base:
            wide = shot(f"{base}/en.html", WIDE, HEIGHT, folder)
            narrow = shot(f"{base}/zh.html", NARROW, HEIGHT, folder)
        beside(wide, narrow, colours=96).save(PICTURE, optimize=True)
    return 0


def morning_with_a_fault() -> State:
    """One thing to act on, one to attend to, the rest well."""
    state = well(
        queue=queue(silent=True, canary_seconds=None), drift=Drift(populations(), WELL_DRIFT | {"length": 0.17})
    )
    return replace(state, hour=hour(card=312, silent=741, degraded=2, slow=0.6))


if __name__ == "__main__":
    sys.exit(main())
