"""The source attributes as JSON, Markdown and HTML, and the model as FHIR's Device and DocumentReference.

Input: filled attributes, the shipped bundle's manifest and model card. Output: documents. Knows no address but its own.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from cds_hooks.own_markdown import html_of
from cds_hooks.page_language import said_in
from cds_hooks.transparency.page_words import PAGE
from cds_hooks.transparency.provenance import GUIDE, INPUT_TYPES, MODEL_CARD_PATH, TRANSPARENCY_PATH, MadeWith, device
from cds_hooks.transparency.source_attributes import Filled
from nlp_core.assessment import Language
from nlp_core.bundle_manifest import TOKENIZER, Manifest, read_manifest

TEMPLATES = Path(__file__).parent / "templates"
MODEL_CARD = "model_card.md"


@dataclass(frozen=True, slots=True)
class ShippedModel:
    """What the bundle that ships says of itself."""

    manifest: Manifest
    card: str
    """Markdown."""

    @staticmethod
    def read(bundle: Path) -> ShippedModel:
        """Raises OSError or BundleError."""
        return ShippedModel(read_manifest(bundle), (bundle / MODEL_CARD).read_text(encoding="utf-8"))


def as_json(attributes: Sequence[Filled]) -> bytes:
    """One object by attribute's key."""
    return orjson.dumps(
        {
            "sourceAttributes": {
                one.key: {
                    "number": one.number,
                    "name": one.name,
                    "value": one.value,
                    "filledBy": one.filled_by,
                    "sources": [{"value": figure.value, "source": figure.source} for figure in one.sources],
                }
                for one in attributes
            }
        }
    )


def as_markdown(attributes: Sequence[Filled]) -> str:
    """A section for each attribute."""
    parts = ["# Source attributes", f"Filled by machine: {_by_machine(attributes)} of {len(attributes)}."]
    for one in attributes:
        parts.append(f"## {one.number}. {one.name}\n\n{_inert(one.value)}")
        if one.sources:
            parts.append("\n".join(f"- `{figure.value}`: {_inert(figure.source)}" for figure in one.sources))
    return "\n\n".join(parts) + "\n"


def as_html(attributes: Sequence[Filled], model: ShippedModel, language: Language = "en") -> str:
    """The page: attributes, filled in that language, then the model card, which is English."""
    return _page().render(
        language=language,
        words=said_in(language, PAGE),
        attributes=attributes,
        by_machine=_by_machine(attributes),
        card=html_of(model.card),
        path=TRANSPARENCY_PATH,
        card_path=MODEL_CARD_PATH,
    )


def model_device(model: ShippedModel, public_base_url: str) -> dict[str, Any]:
    """R4 Device of the guide's profile, with the model's checksums."""
    manifest = model.manifest
    versions = {
        "weights SHA-256": manifest.weights.sha256,
        "tokenizer SHA-256": manifest.files[TOKENIZER].sha256,
    }
    whole = device(MadeWith(manifest.version, "", public_base_url))
    whole["version"] += [{"type": {"text": kind}, "value": value} for kind, value in versions.items()]
    reference = {"type": "DocumentReference", "identifier": _identifier(public_base_url), "display": "Model card"}
    whole["extension"] = [
        {"url": f"{GUIDE}/StructureDefinition/aitransparency.modelCardDescription", "valueReference": reference}
    ]
    return whole


def model_card_reference(model: ShippedModel, public_base_url: str) -> dict[str, Any]:
    """R4 DocumentReference of the guide's profile, the card inside."""
    body = model.card.encode()
    attachment = {
        "contentType": "text/markdown",
        "data": base64.b64encode(body).decode(),
        "url": public_base_url + MODEL_CARD_PATH,
        "size": len(body),
        # SHA-1 is what R4 asks for here; nothing is trusted by it.
        "hash": base64.b64encode(hashlib.sha1(body, usedforsecurity=False).digest()).decode(),
    }
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        "identifier": [_identifier(public_base_url)],
        "type": {"coding": [{"system": INPUT_TYPES, "code": "AIModelCard"}]},
        "category": [{"coding": [{"system": INPUT_TYPES, "code": "AIModelCardMarkdownFormat"}]}],
        "content": [{"attachment": attachment}],
    }


def _identifier(public_base_url: str) -> dict[str, str]:
    return {"system": "urn:ietf:rfc:3986", "value": public_base_url + MODEL_CARD_PATH}


def _by_machine(attributes: Sequence[Filled]) -> int:
    return sum(one.filled_by == "machine" for one in attributes)


def _inert(text: str) -> str:
    """Settings may hold any mark; our own texts hold none that Markdown minds."""
    return "".join(f"\\{mark}" if mark in "\\`*_{}[]<>#|!" else mark for mark in text)


@cache
def _page() -> Template:
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("transparency.html.jinja")
