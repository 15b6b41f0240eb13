"""An answer printed for people at a terminal: the card as a clinician would read it, or why there is none.

Reads the JSON of a hook response; knows rich, not HTTP.
"""

from __future__ import annotations

from typing import Any

from rich.console import Console, Group
from rich.markdown import Markdown
from rich.panel import Panel
from rich.text import Text

from cds_hooks.outcome import STATUS_EXTENSION
from cds_hooks.reason_words import REASONS
from cds_hooks.safe_markdown import WORD_JOINER


def show_answer(title: str, answer: dict[str, Any], seconds: float, console: Console) -> None:
    """Prints the first card of `answer`, or its reason for silence, under the chart's title."""
    console.rule(f"[bold]{title}[/bold]  [dim]{seconds * 1000:.0f} ms[/dim]", align="left")
    cards = answer.get("cards", [])
    if not cards:
        console.print(f"  [dim]no card[/dim]: {_reason(answer)}")
        return
    card = cards[0]
    console.print(
        Panel(
            Group(Text(card["summary"], style="bold"), Text(), Markdown(readable(card["detail"]))),
            subtitle=f"{card['indicator']} · {card['source']['label']}",
            subtitle_align="right",
        )
    )
    for suggestion in card.get("suggestions", []):
        console.print(f"  [dim]▢[/dim] {suggestion['label']}")


def readable(detail: str) -> str:
    """The Markdown source without word joiners, which terminals show as boxes; chart text stays escaped in it."""
    return detail.replace(WORD_JOINER, "")


def _reason(answer: dict[str, Any]) -> str:
    status = answer.get("extension", {}).get(STATUS_EXTENSION, {})
    reason = str(status.get("reason", "unknown"))
    return REASONS[reason].en if reason in REASONS else reason
