"""How probably each token of a text is an identifier, by the fitted encoder in ONNX Runtime.

Input : a text, folded, its tokens, the class that the rules give each     Output: float [tokens, classes], rounded
Knows sessions. One window is read at a time, in one thread, filled up with nothing: what it answers for a window hangs on
nothing but the window, so that a run that goes on gives the bytes that it would have given.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray
from tokenizers import Tokenizer

from training.deidentify.identifier_encoder.pieces import NO_TOKEN, Window, tokenizer_with, windows_of
from training.deidentify.identifier_encoder.weights import (
    CHANGES,
    GRAPH,
    HERE,
    PLACES,
    RECORD,
    TYPES,
    WORDS,
    Tensors,
    base_file,
    fitted_tensors,
)
from training.deidentify.identifier_encoder.word_marks import WordMarks
from training.deidentify.identifier_head.network import Floats
from training.deidentify.identifier_head.tokens import GAPS, Tokens
from training.deidentify.vocabulary import Vocabulary

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before the import: see nlp_core.onnx_encoder
import onnxruntime

Answer = tuple[list[int], Floats]
Wanted = Callable[[list[int]], bool]
"""Of a window's tokens: is it to be read?"""
_GAP_NUMBERS = {name: number for number, name in enumerate(GAPS, 1)}
_DIGITS = 3
_ERRORS_ONLY = 3
_NOT_IN_GRAPH = (WORDS, PLACES, TYPES, "marks", "gaps", "ruled")


class IdentifierEncoder:
    """One per process."""

    def __init__(self, words: Vocabulary, tensors: Tensors, graph: bytes, tokenizer: Tokenizer) -> None:
        self._marks, self._tokenizer = WordMarks(words), tokenizer
        self._words = tensors[WORDS]
        self._places = tensors[PLACES] + tensors[TYPES][0]
        self._table, self._gaps, self._ruled = (tensors[name] for name in ("marks", "gaps", "ruled"))
        self._session = _session(graph, tensors)

    def by_window(self, plain: str, tokens: Tokens, ruled: NDArray[np.int8], wanted: Wanted) -> Iterator[Answer]:
        """Of each window that is wanted: its tokens, and float [tokens of it, classes]."""
        for window in windows_of(plain, tokens, self._tokenizer):
            firsts, of = _first_pieces(window)
            if of and wanted(of):
                yield of, np.round(self._of_window(window, tokens, ruled)[firsts], _DIGITS)

    def _of_window(self, window: Window, tokens: Tokens, ruled: NDArray[np.int8]) -> Floats:
        said = np.zeros((len(window.ids), self._table.shape[1]), np.float32)
        said += self._gaps[0] + self._ruled[0]
        known: dict[int, Floats] = {}
        for place, token in enumerate(window.tokens):
            if token != NO_TOKEN:
                if token not in known:
                    known[token] = self._said(tokens, token, int(ruled[token]))
                said[place] = known[token]
        words = self._words[window.ids] + self._places[: len(window.ids)]
        (answer,) = self._session.run(["chances"], {"words": words[None], "said": said[None]})
        return np.asarray(answer[0], np.float32)

    def _said(self, tokens: Tokens, token: int, ruled: int) -> Floats:
        rows = list(self._marks.rows(tokens.forms[token]))
        summed: Floats = (
            self._table[rows].sum(axis=0) + self._gaps[_GAP_NUMBERS[tokens.gaps[token]]] + self._ruled[ruled]
        )
        return summed


def _first_pieces(window: Window) -> tuple[list[int], list[int]]:
    """Places of the pieces that begin a token, and these tokens."""
    firsts = [
        place for place, token in enumerate(window.tokens) if token != NO_TOKEN and token != window.tokens[place - 1]
    ]
    return firsts, [window.tokens[place] for place in firsts]


def _session(graph: bytes, tensors: Tensors) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    given = {name: np.ascontiguousarray(value) for name, value in tensors.items() if name not in _NOT_IN_GRAPH}
    values = [onnxruntime.OrtValue.ortvalue_from_numpy(value) for value in given.values()]
    options.add_external_initializers(list(given), values)
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def open_encoder(words: Vocabulary, folder: Path, characters: str) -> IdentifierEncoder:
    """The encoder in a folder. characters: those that its vocabulary has beside the base's."""
    tokenizer = tokenizer_with(base_file("tokenizer.json"), characters)
    return IdentifierEncoder(words, fitted_tensors(folder / CHANGES), (folder / GRAPH).read_bytes(), tokenizer)


def shipped_encoder(words: Vocabulary) -> IdentifierEncoder:
    """The encoder beside this file. Raises ValueError where its files are not those of their record."""
    record = orjson.loads((HERE / RECORD).read_bytes())
    for name in (CHANGES, GRAPH):
        if hashlib.sha256((HERE / name).read_bytes()).hexdigest() != record["sha256"][name]:
            raise ValueError(f"{name} has another checksum than {RECORD} says: fit it anew or restore it")
    return open_encoder(words, HERE, record["characters"])
