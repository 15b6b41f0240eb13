"""The card at a terminal: chart text stays text there too."""

from __future__ import annotations

import io

from rich.console import Console

from cds_hooks.safe_markdown import WORD_JOINER, plain
from cds_hooks.show_card import show_answer
from tests.renderers.hostile_cards import HARMLESS, card_with, hostile_strings


def shown(text: str) -> str:
    """What is printed for a card with `text` in its quote."""
    console = Console(file=io.StringIO(), width=400)
    show_answer("title", {"cards": [card_with(text, "quote for", "en")]}, 0.1, console)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_chart_text_is_printed_as_it_stands_and_changes_nothing_around_it() -> None:
    harmless = shown(HARMLESS)
    assert WORD_JOINER not in harmless
    for texts in hostile_strings().values():
        for text in (text for text in texts if len(text) < 60 and plain(text).isascii()):
            assert " ".join(shown(text).split()) == " ".join(harmless.replace(HARMLESS, plain(text)).split()), text
