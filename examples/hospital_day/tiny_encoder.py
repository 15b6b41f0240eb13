"""A BERT of random weights with the base's vocabulary, small enough that the whole way takes a minute: `--small` uses it.

Input : a folder to make     Output: config.json, model.safetensors, tokenizer.json
It has learned nothing; names of findings are read without it.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import torch
import transformers

from nlp_core.base_package import base_files
from nlp_core.bundle_manifest import TOKENIZER
from training.export_model import base_of

VOCABULARY = 30_522


def main(folder: Path) -> None:
    """Writes the encoder; equal each time."""
    torch.manual_seed(1)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    transformers.BertModel(transformers.BertConfig(vocab_size=VOCABULARY, **sizes)).save_pretrained(folder)
    shutil.copyfile(base_files(base_of(None))[TOKENIZER], folder / TOKENIZER)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
