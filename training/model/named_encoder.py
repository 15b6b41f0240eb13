"""An encoder by the name a user gives: a folder, or `organisation/model` on a Hugging Face hub.

Output: a folder with config.json, model.safetensors and tokenizer.json. Knows which files are taken: weights as safetensors
only, since other formats can carry code. Where the hub is, and with which token, is huggingface_hub's business (HF_ENDPOINT,
HF_TOKEN, HF_HOME, HF_HUB_OFFLINE).
"""

from __future__ import annotations

import re
from argparse import ArgumentParser
from pathlib import Path

TAKEN = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")
_HUB_ID = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w./-]+))?")


def encoder_folder(name: str | None) -> Path | None:
    """The encoder's folder, downloaded once where `name` is a hub id; None for None, the base package.

    A revision is given as `organisation/model@revision`. Raises ValueError where there is no such folder and no such model.
    """
    if name is None or Path(name).is_dir():
        return Path(name) if name else None
    asked = _HUB_ID.fullmatch(name)
    if not asked:
        raise ValueError(
            f"{name} is no folder, and no hub id such as organisation/model or organisation/model@revision"
        )
    return _downloaded(asked["repository"], asked["revision"])


def _downloaded(repository: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(repository, revision=revision, allow_patterns=list(TAKEN)))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise ValueError(f"{repository} is no folder, and the hub does not give it: {type(error).__name__}") from error


def add_model_argument(parser: ArgumentParser) -> None:
    """`--model`, to be resolved with `encoder_folder`."""
    parser.add_argument(
        "--model",
        help="another encoder, by folder or hub id, e.g. organisation/model@revision (default: the base package)",
    )
