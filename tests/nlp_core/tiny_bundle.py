"""A base encoder and a shipped bundle small enough to break on purpose.

The encoder looks a token up in an 8 by 4 table and multiplies by a 4 by 4 matrix; everything else is as shipped.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from nlp_core.bundle_manifest import (
    BASE_WEIGHTS,
    GRAPH,
    TABLE,
    TOKENIZER,
    WEIGHTS,
    BaseModelFiles,
    Initializer,
    Manifest,
    stored_file,
    write_manifest,
    write_table,
)
from nlp_core.compose_weights import write_weights

TABLE_ROWS = (
    Initializer(name="table", source="words.weight", dtype="float32", shape=(8, 4), offset=0),
    Initializer(name="up", source="up.weight", transforms=("transpose",), dtype="float32", shape=(4, 4), offset=4096),
)


def tiny_tokenizer() -> Tokenizer:
    vocabulary = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "chest": 4, "pain": 5, "on": 6, "a": 7}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return tokenizer


def tiny_base(folder: Path) -> Path:
    """A folder with model.safetensors and tokenizer.json."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(7)
    tensors = {name: random.normal(size=shape) for name, shape in (("words.weight", (8, 4)), ("up.weight", (4, 4)))}
    save_file({name: array.astype(np.float32) for name, array in tensors.items()}, folder / BASE_WEIGHTS)
    tiny_tokenizer().save(str(folder / TOKENIZER))
    return folder


def tiny_shipped(folder: Path, base: Path, *, weights_at: str = WEIGHTS, package: str = "") -> Path:
    """A shipped bundle for `base` whose graph points to `weights_at`."""
    folder.mkdir(parents=True)
    (folder / GRAPH).write_bytes(graph_with_weights_at(weights_at))
    write_table(folder / TABLE, TABLE_ROWS)
    write_weights(base / BASE_WEIGHTS, TABLE_ROWS, folder / "weights")
    weights = stored_file(folder / "weights")
    (folder / "weights").unlink()
    files = {name: stored_file(base / name) for name in (BASE_WEIGHTS, TOKENIZER)}
    manifest = Manifest(
        version="tiny-1",
        precision="fp32",
        width=4,
        longest=16,
        vocabulary=8,
        base=BaseModelFiles(package=package, version="0.0.0" if package else "", files=files),
        weights=weights,
        files={name: stored_file(folder / name) for name in (GRAPH, TABLE)},
    )
    write_manifest(folder, manifest)
    return folder


def graph_with_weights_at(location: str) -> bytes:
    tensors = []
    for row in TABLE_ROWS:
        tensor = TensorProto(name=row.name, dims=row.shape, data_type=TensorProto.FLOAT)
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", location), ("offset", str(row.offset)), ("length", str(row.size))):
            tensor.external_data.add(key=key, value=value)
        tensors.append(tensor)
    axis = helper.make_tensor("axis", TensorProto.INT64, [1], [2])
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["words"]),
        helper.make_node("MatMul", ["words", "up"], ["raised"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "axis"], ["column"]),
        helper.make_node("Mul", ["raised", "column"], ["last_hidden_state"]),
    ]
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"])
        for name in ("input_ids", "attention_mask")
    ]
    output = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["batch", "length", 4])
    graph = helper.make_graph(nodes, "tiny", inputs, [output], [*tensors, axis])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    return bytes(model.SerializeToString())


def edit_manifest(folder: Path, **changes: object) -> None:
    """Overwrites fields of manifest.json with anything at all."""
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
