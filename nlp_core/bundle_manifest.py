"""What a model bundle says about itself: manifest.json and initializers.json.

Knows names, sizes and checksums, and how each weight of the graph comes from the base model's file. Does not read
weights (compose_weights) nor check a folder (model_bundle).
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from nlp_core.bundle_errors import BundleDamaged, BundleMissing

MANIFEST = "manifest.json"
TABLE = "initializers.json"
GRAPH = "encoder.graph.onnx"
WEIGHTS = "encoder.weights"
"""Holds the graph's weights; composed at set-up, never shipped."""
TOKENIZER = "tokenizer.json"
BASE_WEIGHTS = "model.safetensors"
HEAD_WEIGHTS = "heads.safetensors"
"""The heads as trained. They lie in the graph too; what was learned behind them names them by this file's checksum."""
FINDING_CENTRES = "finding_centres.safetensors"
"""Where findings lie in the encoder's space, as training has learnt it (finding_centres)."""
READING_TRUST = "reading_trust.json"
"""How far each way of reading can be trusted (reading_trust); travels as CALIBRATION does."""
LINKER = "concept_linker.safetensors"
"""What says which findings clauses mean (concept_linker); travels as CALIBRATION does."""
MATCHER = "case_matcher.safetensors"
"""How much sentences read like cases of each diagnosis (case_matcher); travels as CALIBRATION does."""
CALIBRATION = "calibration.json"
"""Shipped where a calibration was fitted; travels with the bundle under the digest of the composed folder."""

BESIDE = (CALIBRATION, LINKER, MATCHER, READING_TRUST)
"""What may lie beside the files that a shipped manifest names, and travels with them."""

FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)]
"""A plain name: no folder, no `..`, nothing hidden."""
Precision = Literal["fp32", "fp16", "int8-rows"]
"""fp16: weights stored in half the bytes, computed with in fp32. int8-rows: products of 8 bits."""
Transform = Literal["transpose", "quantise", "scales"]

_STRICT = ConfigDict(frozen=True, extra="forbid")


class StoredFile(BaseModel):
    """Size and checksum of one file."""

    model_config = _STRICT

    size: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class BaseModelFiles(BaseModel):
    """Where the base weights come from; the checksums decide, not the version."""

    model_config = _STRICT

    package: str = ""
    """The Python package that carries the files; empty where they lie in a folder named at set-up."""
    version: str = ""
    folder: str = ""
    """Folder of the files under site-packages, with `/`."""
    files: dict[FileName, StoredFile]


class Manifest(BaseModel):
    """`files` names every file of the folder but the manifest (and, as shipped, calibration.json)."""

    model_config = _STRICT

    format: Literal[1] = 1
    version: str = Field(min_length=1)
    """Raised whenever the graph, the base or the way of reading changes."""
    precision: Precision
    width: int = Field(ge=1)
    """Numbers per token vector."""
    longest: int = Field(ge=8)
    """Most tokens of one row."""
    vocabulary: int = Field(ge=1)
    base: BaseModelFiles
    heads: tuple[str, ...] = ()
    """Outputs of the graph besides last_hidden_state (nlp_core.head_outputs)."""
    weights: StoredFile
    """What composing must give: the same bytes everywhere."""
    files: dict[FileName, StoredFile]
    shipped: str = ""
    """In a composed folder, digest of the shipped bundle it was made from."""


BYTES = {"float32": 4, "float16": 2, "int8": 1}
"""Of a number, by type."""


class Initializer(BaseModel):
    """One weight of the graph: the tensor of the base file it comes from, and its place in encoder.weights."""

    model_config = _STRICT

    name: str
    source: str
    transforms: tuple[Transform, ...] = ()
    """Applied in order. transpose: [out, in] to [in, out]. quantise: signed 8 bits per column of [in, out].
    scales: the float32 [out] that quantise divides by."""
    dtype: Literal["float32", "float16", "int8"]
    shape: tuple[int, ...]
    offset: int = Field(ge=0)

    @property
    def size(self) -> int:
        """Bytes."""
        count = 1
        for extent in self.shape:
            count *= extent
        return count * BYTES[self.dtype]


_TABLE = TypeAdapter(tuple[Initializer, ...])


def stored_file(path: Path) -> StoredFile:
    """Reads the whole file. Raises OSError."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return StoredFile(size=stream.tell(), sha256=digest)


def read_manifest(folder: Path) -> Manifest:
    """Raises BundleMissing where there is none, BundleDamaged where it is not one."""
    try:
        return Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise BundleMissing(
            f"no model bundle at {folder}; compose it with `python -m nlp_core.compose_bundle`"
        ) from None
    except (OSError, ValidationError) as error:
        raise BundleDamaged(f"{folder / MANIFEST} cannot be read: {error}") from error


def write_manifest(folder: Path, manifest: Manifest) -> None:
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=1) + "\n", encoding="utf-8")


def read_table(path: Path) -> tuple[Initializer, ...]:
    """Raises BundleDamaged."""
    try:
        return _TABLE.validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise BundleDamaged(f"{path} is no initializer table: {error}") from error


def write_table(path: Path, table: tuple[Initializer, ...]) -> None:
    """One initializer a line."""
    rows = ",\n".join(row.model_dump_json(exclude_defaults=True) for row in table)
    path.write_text(f"[\n{rows}\n]\n", encoding="utf-8")
