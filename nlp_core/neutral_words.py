"""Words that tell a person's sex, made neutral: what somebody's symptom is near to must not depend on who has it.

Knows pronouns and the plainest nouns. The encoder sees "they wake gasping" for he and she alike; text, offsets and quotes
are not touched, and age and sex are read elsewhere (demographics).
"""

from __future__ import annotations

import re

_NEUTRAL = {
    **dict.fromkeys(("he", "she"), "they"),
    **dict.fromkeys(("his", "her"), "their"),
    **dict.fromkeys(("himself", "herself"), "themselves"),
    **dict.fromkeys(("man", "woman", "gentleman", "lady"), "person"),
    **dict.fromkeys(("boy", "girl"), "child"),
    "him": "them",
    "hers": "theirs",
}
_TELLING = re.compile(rf"\b(?:{'|'.join(_NEUTRAL)})\b", re.IGNORECASE)


def neutral(text: str) -> str:
    """The text for the encoder's eyes; its length may change."""
    return _TELLING.sub(lambda match: _NEUTRAL[match.group().lower()], text).replace("她", "他")
