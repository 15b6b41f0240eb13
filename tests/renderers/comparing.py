"""Hostile cards -> which renderer was fooled by which: another structure than the harmless card's, or another text.

Structure: the tree of elements and comments with every attribute. Text: what a reader sees, where the string stands as
cds_hooks.safe_markdown.plain leaves it, or begins and ends with an ellipsis where it was shortened.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from cds_hooks.safe_markdown import WORD_JOINER, inert, plain
from tests.renderers.hostile_cards import HARMLESS, HostileCard, hostile_cards
from tests.renderers.rendering import Rendering, render

NEVER_SHORTENED = 60
"""Characters of Markdown up to which every place shows a text whole."""

TEMPLATE = re.compile(r"(p\[strong\[\]\] ul\[li\[\]( li\[\])*\] ){1,3}(p\[strong\[\]\] ){0,2}p\[em\[\]\]")
"""The outline of every card: diagnoses with their evidence, what would tell them apart, what was not seen, who says so.
No element has an attribute, so nothing on a card is fetched, linked or run."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One card by one renderer."""

    card: HostileCard
    renderer: str
    rendering: Rendering
    structure_kept: bool
    text_kept: bool
    changed_as_is: bool
    """Whether the string as it stands in the chart would have changed the structure; False where that was not asked."""

    def __str__(self) -> str:
        return f"{self.renderer}: {self.card.text!r} in {self.card.place}"


@cache
def all_compared() -> list[Compared]:
    """Every string's card by every renderer, asked once for all tests."""
    return compared(hostile_cards())


def compared(cards: Iterable[HostileCard], *, as_is: bool = False) -> list[Compared]:
    """Every card by every renderer. as_is: ask also what the strings would do unescaped."""
    cards = list(cards)
    harmless = _by_source(sorted({card.harmless for card in cards}))
    raw = render(card.as_is for card in cards) if as_is else [{}] * len(cards)
    found = zip(cards, render(card.detail for card in cards), raw, strict=True)
    return [one for card, seen, unescaped in found for one in _by_renderer(card, seen, unescaped, harmless)]


def _by_source(sources: Sequence[str]) -> dict[str, dict[str, Rendering]]:
    return dict(zip(sources, render(sources), strict=True))


def _by_renderer(
    card: HostileCard,
    seen: dict[str, Rendering],
    unescaped: dict[str, Rendering],
    harmless: dict[str, dict[str, Rendering]],
) -> Iterator[Compared]:
    for renderer, wanted in harmless[card.harmless].items():
        rendering = seen[renderer]
        yield Compared(
            card,
            renderer,
            rendering,
            structure_kept=rendering.outline == wanted.outline,
            text_kept=_text_is_kept(rendering.text, wanted.text, card.text),
            changed_as_is=renderer in unescaped and unescaped[renderer].outline != wanted.outline,
        )


def _text_is_kept(text: str, harmless: str, written: str) -> bool:
    """Whether `text` is `harmless` with `written`, as it is readable, in each place."""
    readable = plain(written)
    if not readable:
        return True  # Nobody could read it in the chart either; the card has its own word there, or nothing.
    if len(inert(written)) <= NEVER_SHORTENED:
        return text.replace(WORD_JOINER, "") == harmless.replace(HARMLESS, readable)
    whole_or_short = f"({re.escape(readable)}|.*?…)"
    around = whole_or_short.join(re.escape(part) for part in harmless.split(HARMLESS))
    places = re.fullmatch(around, text.replace(WORD_JOINER, ""), re.DOTALL)
    return places is not None and all(shown == readable or _is_start(shown, readable) for shown in places.groups())


def _is_start(shown: str, readable: str) -> bool:
    return shown.endswith("…") and len(shown) > 5 and readable.startswith(shown[:-1])
