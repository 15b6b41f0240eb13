"""In which language a page speaks, and its fixed words in it. Knows no page: each has its table of words."""

from __future__ import annotations

from collections.abc import Mapping

from nlp_core.assessment import Language, Words


def asked_language(asked: str | None, otherwise: Language) -> Language:
    """`asked`: of the query, as in `?lang=zh`."""
    return "zh" if asked == "zh" else "en" if asked == "en" else otherwise


def said_in(language: Language, words: Mapping[str, Words]) -> dict[str, str]:
    """The table in one language, by the names that templates use."""
    return {name: one.said_in(language) for name, one in words.items()}
