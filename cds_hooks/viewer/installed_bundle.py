"""First treatment steps by diagnosis, and the model's validation figures: what the viewer shows beside an assessment.

Both are read from the installed model bundle, once, when a page first asks; neither is shown beside an assessment of
another knowledge or another model. Knows files; loads no model.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson
from markupsafe import Markup

from cds_hooks.own_markdown import html_of
from nlp_core.assessment import Assessment, Words


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """Of one diagnosis."""

    treatment: Words
    source: str


@dataclass(frozen=True, slots=True)
class _Contents:
    knowledge_version: str
    steps: Mapping[str, FirstSteps]
    model_version: str
    """Of the bundle, before the `+`."""
    figures: Markup


class InstalledBundle:
    """What is installed, read once."""

    def __init__(self, bundle: Path | None = None) -> None:
        """`bundle`: the composed one; None = the one that set-up made."""
        self._bundle = bundle
        self._installed: asyncio.Task[_Contents | None] | None = None

    async def first_steps(self, assessment: Assessment) -> Mapping[str, FirstSteps]:
        """By id of the diagnosis; empty where the installed knowledge is another."""
        found = await self._once()
        return found.steps if found and found.knowledge_version == assessment.knowledge_version else {}

    async def figures(self, assessment: Assessment) -> Markup | None:
        """The model card as HTML; None where the installed model is another."""
        found = await self._once()
        same = found and found.model_version == assessment.model_version.partition("+")[0]
        return found.figures if found and same else None

    async def ready(self) -> None:
        """Reads it now."""
        await self._once()

    async def _once(self) -> _Contents | None:
        if self._installed is None:
            self._installed = asyncio.create_task(asyncio.to_thread(_read, self._bundle))
        return await asyncio.shield(self._installed)


def _read(bundle: Path | None) -> _Contents | None:
    from nlp_core.model_bundle import KNOWLEDGE, SHIPPED_BUNDLE, composed_bundle_path  # brings the tokenizers

    folder = bundle or composed_bundle_path()
    try:
        knowledge = orjson.loads((folder / KNOWLEDGE).read_bytes())
        manifest = orjson.loads((SHIPPED_BUNDLE / "manifest.json").read_bytes())
        card = (SHIPPED_BUNDLE / "model_card.md").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
    steps = {
        name: FirstSteps(Words(**diagnosis["treatment"]), diagnosis["source"])
        for name, diagnosis in knowledge["diagnoses"].items()
    }
    return _Contents(knowledge["version"], steps, str(manifest["version"]), html_of(card))
