"""The attributes that change what a symptom means, with the words for them: site, quality, trigger, relief, ...

Knows rules/attributes.yaml. How they are found in a note and joined with a symptom is composed_findings' business.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import get_args

import yaml

from nlp_core.knowledge import AttributeKind, Names

ATTRIBUTES = Path(__file__).parent / "rules" / "attributes.yaml"


@lru_cache(maxsize=4)
def attribute_names(path: Path = ATTRIBUTES) -> Mapping[tuple[AttributeKind, str], Names]:
    """(kind, value) -> its names, e.g. `("trigger", "breathing")`. Raises ValueError for a kind no finding may have."""
    raw = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    unknown = raw.keys() - set(get_args(AttributeKind))
    if unknown:
        raise ValueError(f"{path.name}: unknown kinds of attribute: {', '.join(sorted(unknown))}")
    return {
        (kind, value): Names.model_validate(names) for kind, values in raw.items() for value, names in values.items()
    }
