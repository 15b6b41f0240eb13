"""Where a fit of the encoder begins: at the reading model, or where an earlier fit ended.

Input : the shipped bundle, or the folder of an earlier `dxspan-train fit-identifier-encoder`     Output: Beginning
An earlier fit's file holds two adapters as one of both ranks: the reading model's of that time, then the reader's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from nlp_core.adapters import ADAPTER, Adapter, whole_numbers
from nlp_core.model_bundle import SHIPPED_BUNDLE
from training.deidentify.identifier_encoder.weights import CHANGES, OWN, WORDS, base_file, base_tensors, characters_of
from training.identifier_fit.encoder_examples import added_characters, names_by_place
from training.identifier_fit.encoder_net import LINEAR
from training.identifier_fit.write_encoder import NORMS, OWN_NAMES, TURNED, WORD_VECTORS, as_floats, balanced
from training.model.chinese_vocabulary import characters_by_frequency

_APART = 0.5
"""How far a new character begins from the mean of the known ones, in their standard deviations."""
_OUT, _IN, _EXPONENT = ".low_rank_out", ".low_rank_in", ".low_rank_exponent"
Tensors = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a fit is given beside its notes."""

    learnt: Tensors | None
    """By the names of EncoderNet; None where nothing was learnt yet."""
    beside: Tensors
    """The adapter that is learnt beside, as its file has it."""
    characters: str
    """Chinese characters that the vocabulary has beside the base's, in the order of their rows."""

    @property
    def learnt_words(self) -> NDArray[np.int64]:
        """Words whose vectors are learnt."""
        return self.beside[f"{WORDS}.rows"].astype(np.int64)

    def base(self) -> Tensors:
        """The base with that adapter: what learning leaves as it is."""
        adapter = Adapter(self.beside)
        return {name: adapter.applied(name, value) for name, value in base_tensors().items()}


def at_the_reading_model(further: str = "") -> Beginning:
    """further: Chinese characters that get rows behind the base's last; those that the reading model has there are left out.

    A character that is new begins somewhere among those that are known.
    """
    written = load_file(SHIPPED_BUNDLE / ADAPTER)
    base = base_tensors([WORDS])[WORDS]
    kept = written[f"{WORDS}.rows"] < len(base)
    slots = written[f"{WORDS}.rows"][kept]
    table = base.copy()
    table[slots] = as_floats(written, f"{WORDS}.values", f"{WORDS}.rows_exponent")[kept]
    chinese = np.union1d(_chinese_of_the_base(), slots)
    known, drawn = table[chinese], np.random.default_rng(0)
    new = known.mean(axis=0) + _APART * known.std(axis=0) * drawn.standard_normal((len(further), known.shape[1]))
    table = np.concatenate([table, new.astype(np.float32)])
    rows = np.concatenate([chinese, np.arange(len(base), len(table))])
    values, exponent = whole_numbers(table[rows])
    written |= {
        f"{WORDS}.rows": rows.astype(np.int32), f"{WORDS}.values": values,
        f"{WORDS}.rows_exponent": np.array([exponent], np.int32), f"{WORDS}.length": np.array([len(table)], np.int32),
    }  # fmt: skip
    return Beginning(None, written, added_characters() + further)


def _chinese_of_the_base() -> NDArray[np.int64]:
    names = names_by_place(base_file("tokenizer.json"))
    return np.array(sorted(place for place, name in names.items() if characters_by_frequency([name]) == [name]))


def where_a_fit_ended(folder: Path, rank: int) -> Beginning:
    """rank: of what was learnt there. Raises OSError, KeyError or ValueError where the folder holds no such fit."""
    written = load_file(folder / CHANGES)
    weights = sorted(name.removesuffix(_OUT) for name in written if name.endswith(_OUT))
    beside = {name: value for name, value in written.items() if name.startswith(f"{WORDS}.")}
    learnt: Tensors = {WORD_VECTORS: as_floats(written, f"{WORDS}.values", f"{WORDS}.rows_exponent")}
    for name, ours in OWN_NAMES.items():
        value = written[f"{OWN}{ours}"].astype(np.float32)
        learnt[name] = value.T if ours in TURNED else value
    for weight in weights:
        out, inner = written[f"{weight}{_OUT}"], written[f"{weight}{_IN}"]
        if not 0 < rank < out.shape[1]:
            raise ValueError(f"{folder}: a change of rank {rank} is not in one of rank {out.shape[1]}")
        beside |= {f"{weight}{_OUT}": out[:, :-rank], f"{weight}{_IN}": inner[:-rank]}
        beside[f"{weight}{_EXPONENT}"] = written[f"{weight}{_EXPONENT}"]
        own = balanced(out[:, -rank:], as_floats(written, f"{weight}{_IN}", f"{weight}{_EXPONENT}")[-rank:])
        of = _in_net(weight)
        learnt |= {f"{of}.out": own[0], f"{of}.inner": own[1]}
    for name in written:
        if name.endswith(".rows") and not name.startswith(WORDS):
            vector = name.removesuffix(".rows")
            learnt[_in_net(vector)] = as_floats(written, f"{vector}.values", f"{vector}.rows_exponent")
    floats = {name: value.astype(np.float32) for name, value in learnt.items()}
    return Beginning(floats, beside, characters_of(folder))


def _in_net(name: str) -> str:
    """EncoderNet's name of a base tensor: of a matrix without `.weight`, as it is its factors that are learnt."""
    if name.startswith("embeddings.LayerNorm."):
        return name.replace("embeddings.LayerNorm", "first_norm")
    _, _, at, *rest = name.split(".")
    part = ".".join(rest[:-1])
    if part.endswith(".LayerNorm"):
        return f"layers.{at}.norms.{NORMS.index(part.removesuffix('.LayerNorm'))}.{rest[-1]}"
    return f"layers.{at}.linear.{LINEAR.index(part)}" + ("" if rest[-1] == "weight" else ".bias")
