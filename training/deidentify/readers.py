"""Which readers look for identifiers beside the rules: the small head, or the small head with the encoder behind it.

Input : a reader's name     Output: the reader as it is shipped
The encoder's libraries are loaded only where it is asked for.
"""

from __future__ import annotations

from typing import Literal

from training.deidentify.identifier_head.head import IdentifierHead, shipped_head
from training.deidentify.vocabulary import Vocabulary

Reader = Literal["head", "encoder"]
READERS: tuple[Reader, ...] = ("head", "encoder")


def shipped_reader(name: Reader, words: Vocabulary) -> IdentifierHead:
    """Raises ValueError where weights are not those of their record, BundleError where the base encoder is not there."""
    if name == "head":
        return shipped_head(words)
    from training.deidentify.identifier_encoder.second_reader import shipped_second_reader

    return shipped_second_reader(words)
