"""Draws docs/card.png: the first sample chart's card as a sandbox shows it. `python docs/draw_card.py` (needs Chromium).

Starts the real service, sends the real hook, renders the card's own Markdown, takes a screenshot.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from cds_hooks.build_cards import CardBuilder  # noqa: E402  the path comes first
from cds_hooks.demo_requests import sample_charts  # noqa: E402
from docs.pictures import opened  # noqa: E402
from nlp_core.assess import Reader  # noqa: E402

PAGE = """<!doctype html><meta charset="utf-8"><style>
body {{ font: 15px/1.45 system-ui, "Noto Sans CJK SC", sans-serif; margin: 24px; background: #eef1f4; display: flex; gap: 20px; }}
article {{ background: #fff; border-radius: 8px; border-left: 6px solid #2563a8; padding: 16px 22px; flex: 1; box-shadow: 0 1px 4px #0003; }}
h1 {{ font-size: 17px; margin: 0 0 10px; }} ul {{ margin: 4px 0 10px; padding-left: 20px; }} p {{ margin: 8px 0; }}
footer {{ color: #556; font-size: 13px; margin-top: 10px; }}
button {{ font: inherit; font-size: 13px; border: 1px solid #2563a8; color: #2563a8; background: #fff; border-radius: 4px; padding: 4px 10px; margin: 4px 4px 0 0; }}
</style>{cards}"""
CARD = "<article><h1>{summary}</h1>{detail}{buttons}<footer>{label} · {indicator}</footer></article>"


def main() -> int:
    reader = Reader.load()
    cards = [_drawn(_card(reader, number)) for number in (4, 1)]
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "card.html"
        page.write_text(PAGE.format(cards="".join(cards)), encoding="utf-8")
        subprocess.run(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-device-scale-factor=1.5",
             f"--screenshot={ROOT / 'docs' / 'card.png'}", "--window-size=1240,930", f"--user-data-dir={folder}/profile",
             page.as_uri()],
            check=True, capture_output=True,
        )  # fmt: skip
    return 0


def _card(reader: Reader, number: int) -> dict[str, Any]:
    chart, occasion = opened(sample_charts()[number])
    builder = CardBuilder(public_base_url="https://cds.example.org", now=lambda: chart.as_of)
    built = asyncio.run(builder(reader.assess(chart), chart, occasion))
    return built.cards[0].model_dump(mode="json", by_alias=True, exclude_none=True)


def _drawn(card: dict[str, Any]) -> str:
    buttons = "".join(f"<button>{suggestion['label']}</button>" for suggestion in card["suggestions"])
    return CARD.format(
        summary=card["summary"], detail=MarkdownIt().render(card["detail"]), buttons=buttons,
        label=card["source"]["label"], indicator=card["indicator"],
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
