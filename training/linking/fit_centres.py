"""Where findings lie, learned anew for the model as it is: `dxspan-train fit-centres`.

For phrases written since the model was trained: embeds every name and phrase as the composed model does, learns the centres
(training.model.learned_centres), says how many held-apart phrases find their finding by them, and puts them into the bundle.
Then compose, `make linker`, and calibrate anew.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from nlp_core.bundle_manifest import FINDING_CENTRES, read_manifest, stored_file, write_manifest
from nlp_core.encoder import Encoder
from nlp_core.knowledge import Knowledge
from nlp_core.model_bundle import SHIPPED_BUNDLE, Bundle, composed_bundle_path
from nlp_core.name_index import NameIndex
from nlp_core.onnx_encoder import OnnxEncoder
from training.command import Command
from training.model.recipe import SHIPPED, read_recipe
from training.phrases import Phrase, names_of, written_phrases

_AT_ONCE = 512

Floats = NDArray[np.float32]


def embedded(texts: Sequence[str], encoder: Encoder) -> Floats:
    """[texts, width], with progress; equal lengths together, so that nothing is padded."""
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
    found: Floats = np.zeros((len(texts), encoder.width), np.float32)
    with tqdm(total=len(texts), desc="names and phrases", unit="text", unit_scale=True) as bar:
        for at in range(0, len(order), _AT_ONCE):
            places = order[at : at + _AT_ONCE]
            found[places] = encoder.embed([texts[place] for place in places])
            bar.update(len(places))
    return found


def found_shares(index: NameIndex, vectors: Floats, asked: Sequence[Phrase], knowledge: Knowledge) -> Iterator[str]:
    """A line a language: of the phrases asked, the share whose nearest finding is their own or a relative's."""
    nearest = [found for ((found, _),) in index.nearest(vectors)]
    right = [knowledge.related(found, phrase.entry) for found, phrase in zip(nearest, asked, strict=True)]
    for language in ("en", "zh"):
        own = [one for one, phrase in zip(right, asked, strict=True) if phrase.language == language]
        if own:
            yield f"{language}: {100 * float(np.mean(own)):.1f} % of {len(own):,}"


def put_into(bundle: Path, name: str) -> None:
    """The manifest of the shipped folder `bundle` names the file `name` as it is now."""
    manifest = read_manifest(bundle)
    files = {**manifest.files, name: stored_file(bundle / name)}
    write_manifest(bundle, manifest.model_copy(update={"files": files}))


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--bundle", type=Path, help="composed bundle (default: the one set-up composes)")
    parser.add_argument("--out", type=Path, default=SHIPPED_BUNDLE, help="the bundle they join (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)


def _run(options: Namespace) -> int:
    from training.model.learned_centres import learned_centres, wordings  # torch

    bundle = Bundle.open(options.bundle or composed_bundle_path())
    knowledge, encoder = bundle.knowledge(), OnnxEncoder.open(bundle, threads=0)
    phrases = [*names_of(knowledge), *written_phrases(knowledge)]
    given = wordings(phrases, knowledge, lambda texts: embedded(texts, encoder))
    centres = learned_centres(given, seed=options.seed, epochs=read_recipe(SHIPPED).centre_epochs)
    names = [given.findings[owner] for owner in given.owners[given.named]]
    placed = set(given.findings)
    asked = [phrase for phrase in phrases if phrase.entry in placed and phrase.split == "held_apart"]
    for way, found in (("names alone", None), ("learned centres", centres.by_finding())):
        index = NameIndex(names, given.vectors[given.named], found)
        print(
            f"held-apart phrases found by {way}: {', '.join(found_shares(index, given.vectors[given.apart], asked, knowledge))}"
        )
    centres.save(options.out / FINDING_CENTRES)
    put_into(options.out, FINDING_CENTRES)
    print(
        f"{options.out / FINDING_CENTRES}: {len(given.findings):,} findings from {int((~given.apart).sum()):,} wordings"
    )
    return 0


COMMAND = Command("fit-centres", "learn anew where findings lie, from all that they are called", _arguments, _run)
