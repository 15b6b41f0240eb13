"""How far a share of few tries can be trusted: Wilson's interval at 95 %."""

from __future__ import annotations

from nlp_core.intervals import wilson


def in_percent(hits: float, tries: float) -> str:
    """`27 % (18–38)`; empty without tries."""
    if not tries:
        return ""
    low, high = wilson(hits / tries, tries)
    return f"{100 * hits / tries:.0f} % ({100 * low:.0f}–{100 * high:.0f})"
