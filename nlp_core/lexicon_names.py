"""Every name that is looked for in notes, each with what it means, and the compiled file they are loaded from.

Knows nothing of text; the finding of names is the lexicon's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import orjson

from nlp_core.attributes import attribute_names
from nlp_core.knowledge import Knowledge
from nlp_core.lexicon import Lexicon
from nlp_core.words import blank_pipeline

FINDING, DIAGNOSIS = "f:", "d:"
"""How an entry of the names begins."""
PREFIX = 2
"""Characters of each of them."""
_FAMILY_WORDS = re.compile(r"family history of |family history |的?家族史|家族性")


@dataclass(frozen=True, slots=True)
class Lexicons:
    """names: findings and diagnoses by their prefixed ids. attributes: `kind value`, see attribute_entry.

    relatives: ids of family histories by the disease alone ("early menopause"), for sentences that are about relatives.
    Apart, because the longest name wins within each: "sharp pain" must not hide the pain, nor a relative's disease the
    patient's.
    """

    names: Lexicon
    attributes: Lexicon
    relatives: Lexicon


def lexicons_of(knowledge: Knowledge) -> Lexicons:
    """Builds both from the names; a second or two for the shipped knowledge."""
    nlp = blank_pipeline()
    attributes = (
        (attribute_entry(kind, value), name)
        for (kind, value), names in attribute_names().items()
        for name in (*names.en, *names.zh)
    )
    return Lexicons(
        Lexicon.of(_names(knowledge), nlp), Lexicon.of(attributes, nlp), Lexicon.of(_relatives(knowledge), nlp)
    )


def compile_lexicons(target: Path, knowledge: Knowledge) -> None:
    """Writes the lexicons as `load_lexicons` reads them."""
    lexicons = lexicons_of(knowledge)
    compiled = {field.name: getattr(lexicons, field.name).compiled for field in fields(Lexicons)}
    target.write_bytes(orjson.dumps(compiled))


def load_lexicons(path: Path) -> Lexicons:
    """Reads compiled lexicons; some ten milliseconds. Raises OSError or ValueError (no JSON)."""
    compiled = orjson.loads(path.read_bytes())
    return Lexicons(**{field.name: Lexicon(compiled[field.name]) for field in fields(Lexicons)})


def attribute_entry(kind: str, value: str) -> str:
    """The lexicon's entry for an attribute, e.g. `trigger breathing`."""
    return f"{kind} {value}"


def _names(knowledge: Knowledge) -> Iterator[tuple[str, str]]:
    for finding in knowledge.findings.values():
        for name in (*finding.names.en, *finding.names.zh):
            yield FINDING + finding.id, name
    for diagnosis in knowledge.diagnoses.values():
        for name in (*diagnosis.names.en, *diagnosis.names.zh):
            yield DIAGNOSIS + diagnosis.id, name


def _relatives(knowledge: Knowledge) -> Iterator[tuple[str, str]]:
    """`family history of gout` as `gout`, by the id of the family history."""
    for finding in knowledge.findings.values():
        if not finding.id.startswith("family_history"):
            continue
        for name in (*finding.names.en, *finding.names.zh):
            disease = _FAMILY_WORDS.sub("", name, count=1).strip()
            if disease not in ("", name):
                yield finding.id, disease
