"""`python -m tests.renderers --write docs/security/renderers.md`: hostile strings × renderers, as a table.

Each string alone in each place of the card and in all at once. Ends with 1 when a renderer was fooled.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.renderers.comparing import Compared, compared
from tests.renderers.hostile_cards import PLACES, cards_place_by_place, hostile_cards, hostile_strings
from tests.renderers.rendering import missing, versions

PAGE = """# Chart text on cards, by renderer

Written by `python -m tests.renderers --write docs/security/renderers.md`.

A card's detail is Markdown, and each client renders it in its own way. {strings} hostile strings of our own
(`tests/renderers/hostile_strings.yaml`) went through the real card builder into each of {places} places, in English and in
Chinese, and into all places at once: {cards} cards. The places: {listed}.

**Structure changed**: the tree of elements, with every attribute and comment, differs from that of the same card with a
harmless word in the string's place. **Text kept**: a reader sees the string as it was written, after the clean-up that
[0003](../decisions/0003-escaping.md) describes, or its beginning where there was no room. The names of practitioners
never reach a card.

{renderers}

What the strings of each category would do if they stood on the card as they are, and what they do as dxspan writes
them. In each cell: cards whose structure changes as is → as dxspan writes it.

{categories}
"""


def page(everything: Sequence[Compared]) -> str:
    """The whole page."""
    strings = hostile_strings()
    return PAGE.format(
        strings=sum(map(len, strings.values())),
        places=len(PLACES),
        listed=", ".join(PLACES),
        cards=len(everything) // len(versions()),
        renderers=_renderers(everything),
        categories=_categories(everything),
    )


def _renderers(everything: Sequence[Compared]) -> str:
    rows = [["renderer", "made of", "cards", "structure changed, as is", "structure changed", "text kept"]]
    for renderer, packages in versions().items():
        own = [one for one in everything if one.renderer == renderer]
        kept = sum(one.text_kept for one in own)
        as_is, now = sum(one.changed_as_is for one in own), sum(not one.structure_kept for one in own)
        rows.append([renderer, packages, f"{len(own)}", f"{as_is}", f"**{now}**", f"{kept} of {len(own)}"])
    return _table(rows, numbers_from=2)


def _categories(everything: Sequence[Compared]) -> str:
    names = list(versions())
    as_is = Counter((one.card.category, one.renderer) for one in everything if one.changed_as_is)
    now = Counter((one.card.category, one.renderer) for one in everything if not one.structure_kept)
    rows = [["category", "strings", *names]]
    for category, texts in hostile_strings().items():
        cells = (f"{as_is[category, name]} → {now[category, name]}" for name in names)
        rows.append([category, str(len(texts)), *cells])
    return _table(rows, numbers_from=1)


def _table(rows: Iterable[Sequence[str]], *, numbers_from: int) -> str:
    head, *body = rows
    marks = ["---:" if column >= numbers_from else "---" for column in range(len(head))]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, marks, *body))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.renderers", description="Hostile strings × renderers")
    parser.add_argument("--write", type=Path, help="the page to write; without it, it is printed")
    target = parser.parse_args().write
    if missing():
        sys.stderr.write(f"{missing()}\n")
        return 2
    everything = compared([*hostile_cards(), *cards_place_by_place()], as_is=True)
    written = page(everything)
    if target:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(written, encoding="utf-8")
    else:
        print(written)
    fooled = [str(one) for one in everything if not (one.structure_kept and one.text_kept)]
    sys.stderr.writelines(f"fooled: {one}\n" for one in fooled)
    return 1 if fooled else 0


if __name__ == "__main__":
    sys.exit(main())
