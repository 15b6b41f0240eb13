"""Draws docs/viewer.png: the evidence viewer on a sample chart, wide, and beside it as narrow as a side panel.

`python docs/draw_viewer.py` (needs Chromium). Reads the chart with the shipped model and renders the real page and style.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from cds_hooks.build_cards import CardBuilder  # noqa: E402  the path comes first
from cds_hooks.demo_requests import sample_charts  # noqa: E402
from cds_hooks.viewer.evidence_page import page_of  # noqa: E402
from cds_hooks.viewer.installed_bundle import InstalledBundle  # noqa: E402
from cds_hooks.viewer.kept_views import KeptView, view_of  # noqa: E402
from cds_hooks.viewer.pages import STATIC, rendered  # noqa: E402
from docs.pictures import beside, opened  # noqa: E402
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
        handler = partial(SimpleHTTPRequestHandler, directory=str(site))
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}"
        wide = shot(f"{base}/en.html", WIDE, folder)
        narrow = shot(f"{base}/zh.html", NARROW, folder)
        server.shutdown()
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


def shot(url: str, width: int, folder: Path) -> Image.Image:
    """The page in a frame of that width: a window of Chromium is never narrower than 500."""
    framed = folder / "site" / f"frame-{width}.html"
    frame = f'<iframe src="{url}" width="{width}" height="{HEIGHT}" style="border:0"></iframe>'
    framed.write_text(f'<!doctype html><body style="margin:0">{frame}</body>', encoding="utf-8")
    file = folder / f"{width}.png"
    subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--screenshot={file}",
         f"--window-size={max(width, 600)},{HEIGHT}", f"--user-data-dir={folder}/profile",
         url.rpartition("/")[0] + f"/{framed.name}"],
        check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    return Image.open(file).convert("RGB").crop((0, 0, width, HEIGHT))


if __name__ == "__main__":
    sys.exit(main())
