"""Chinese for the base encoder: its unused vocabulary slots become the Chinese characters of the knowledge.

Input : the base tokenizer, which knows 244 Chinese characters and has 994 slots named `[unused...]`
Output: the same tokenizer with the most frequent further characters in those slots, the next ones in rows behind its last
        where a recipe grows it, and a first vector for each
A character begins as the mean of the English words it is named beside, so that training starts from sense, not noise.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from training.phrases import Phrase

_CHARACTER = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_UNUSED = re.compile(r"\[unused\d+\]")


def characters_by_frequency(texts: Iterable[str]) -> list[str]:
    """Chinese characters, the most frequent first."""
    counts = Counter(character for text in texts for character in _CHARACTER.findall(text))
    return [character for character, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]


def extended_tokenizer(base: str, characters: Sequence[str], grown: range = range(0)) -> tuple[str, dict[str, int]]:
    """(tokenizer.json, character -> id): the first of `characters` that the base lacks, as many as it has free slots.

    base: tokenizer.json of a WordPiece tokenizer. grown: ids behind the base's last row, for the characters that come next.
    Raises ValueError for another kind.
    """
    written = json.loads(base)
    if written["model"]["type"] != "WordPiece":
        raise ValueError(f"only WordPiece vocabularies are extended, not {written['model']['type']}")
    vocabulary: dict[str, int] = written["model"]["vocab"]
    free = sorted(place for name, place in vocabulary.items() if _UNUSED.fullmatch(name))
    wanted = [character for character in characters if character not in vocabulary]
    added = dict(zip(wanted, (*free, *grown), strict=False))
    renamed = {place: character for character, place in added.items()}
    written["model"]["vocab"] = {renamed.get(place, name): place for name, place in vocabulary.items()} | added
    return json.dumps(written, ensure_ascii=False, separators=(",", ":")), added


def first_vectors(
    added: Mapping[str, int],
    phrases: Mapping[str, Sequence[Phrase]],
    tokenizer: Tokenizer,
    embeddings: NDArray[np.float32],
) -> NDArray[np.float32]:
    """[len(added), width] in the order of `added`: for each character the mean over the entries it names; one that names
    none begins as the mean of those that do."""
    beside: dict[str, list[NDArray[np.float32]]] = defaultdict(list)
    for wordings in phrases.values():
        english = [phrase.text for phrase in wordings if phrase.language == "en"]
        if not english:
            continue
        ids = [place for text in english for place in tokenizer.encode(text, add_special_tokens=False).ids]
        meaning = embeddings[ids].mean(axis=0)
        for character in {c for phrase in wordings if phrase.language == "zh" for c in phrase.text if c in added}:
            beside[character].append(meaning)
    known = {character: np.stack(meanings).mean(axis=0) for character, meanings in beside.items()}
    usual = np.stack(list(known.values()) or list(embeddings)).mean(axis=0)
    return np.stack([known.get(c, usual) for c in added]).astype(np.float32)
