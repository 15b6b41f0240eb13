"""Draws docs/viewer.png: the evidence viewer on a sample chart, wide, and beside it as narrow as a side panel.

`python docs/draw_viewer.py` (needs Chromium). Reads the chart with the shipped model and renders the real page and style.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from cds_hooks.build_cards import CardBuilder  # noqa: E402  the path comes first
from cds_hooks.demo_requests import sample_charts  # noqa: E402
from cds_hooks.viewer.evidence_page import page_of  # noqa: E402
from cds_hooks.viewer.installed_bundle import InstalledBundle  # noqa: E402
from cds_hooks.viewer.kept_views import KeptView, view_of  # noqa: E402
from cds_hooks.viewer.leaving import STATIC  # noqa: E402
from cds_hooks.viewer.rendering import rendered  # noqa: E402
from docs.pictures import beside, opened, served, shot  # noqa: E402
from nlp_core.assess import Reader  # noqa: E402
from nlp_core.assessment import Language  # noqa: E402

PICTURE = ROOT / "docs" / "viewer.png"
WIDE, NARROW, HEIGHT = 1280, 400, 860
CHART = "05-chest-pain-en"


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        site = folder / "site"
        (site / "viewer").mkdir(parents=True)
        (site / "viewer" / "static").symlink_to(STATIC)
        view = kept_view()
        for language in ("en", "zh"):
            (site / f"{language}.html").write_text(asyncio.run(page(view, language)), encoding="utf-8")
        with served(site) as base:
            wide = shot(f"{base}/en.html", WIDE, HEIGHT, folder)
            narrow = shot(f"{base}/zh.html", NARROW, HEIGHT, folder)
        beside(wide, narrow, colours=96).save(PICTURE, optimize=True)
    return 0


def kept_view() -> KeptView:
    """What would be kept for the card of the sample chart."""
    chart, occasion = opened(next(chart for chart in sample_charts() if chart.name == CHART))
    assessment = Reader.load().assess(chart)
    builder = CardBuilder(public_base_url="https://cds.example.org", now=lambda: chart.as_of)
    (card,) = asyncio.run(builder(assessment, chart, occasion)).cards
    return view_of(assessment, chart, occasion, card)  # type: ignore[arg-type]  # the builder makes Cards


async def page(view: KeptView, language: Language) -> str:
    bundle = InstalledBundle()
    steps, figures = await bundle.first_steps(view.assessment), await bundle.figures(view.assessment)
    return rendered(page_of(view, language, steps=steps, figures=figures), address="/", idle_seconds=900)


if __name__ == "__main__":
    sys.exit(main())
