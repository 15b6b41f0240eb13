"""Abbreviations spelt out: "c/o SOB w/o CP" is read as "complains of shortness of breath without chest pain".

Knows the abbreviations of rules/abbreviations.yaml; names that the knowledge lists in short form are the lexicon's.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import yaml

from nlp_core.text_view import Rewriting

RULES = Path(__file__).parent / "rules" / "abbreviations.yaml"


def spelt_out(text: str) -> list[Rewriting]:
    """What to read otherwise, in order of place."""
    pattern, full = _abbreviations()
    return [
        Rewriting(match.start(), match.end(), full[match.group() if match["exact"] else match.group().lower()])
        for match in pattern.finditer(text)
    ]


@cache
def _abbreviations() -> tuple[re.Pattern[str], dict[str, str]]:
    rules = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    anywhere, capitals, before = (
        "|".join(map(re.escape, sorted(rules[kind], key=len, reverse=True)))
        for kind in ("anywhere", "capitals", "before_words")
    )
    pattern = rf"(?<![\w/.])(?:(?i:{anywhere})|(?P<exact>{capitals}|(?:{before})(?= [a-z]{{3}})))(?![\w/]|\.\w)"
    return re.compile(pattern), {**rules["anywhere"], **rules["capitals"], **rules["before_words"]}
