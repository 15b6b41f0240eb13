"""`dxspan-train train-concepts`: the base encoder learns what findings are called, in English and Chinese.

Input : the knowledge's names and training/phrases; a recipe
Output: adapter.safetensors and tokenizer.json for `dxspan-train export --trained`, curves for TensorBoard
One command, seeded; the same seed and thread count give the same weights. A run that is cut goes on from its last
checkpoint with `--resume`.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from nlp_core.adapters import ADAPTER
from nlp_core.base_package import base_files
from nlp_core.bundle_manifest import BASE_WEIGHTS, TOKENIZER
from nlp_core.knowledge import Knowledge
from nlp_core.knowledge_files import read_knowledge
from training.command import Command
from training.export import base_of
from training.phrases import by_entry, names_of, written_phrases

CHECKPOINT = "checkpoint.pt"
HISTORY = "history.jsonl"


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a run depends on; written beside its results."""

    steps: int = 1000
    concepts: int = 64
    """Concepts per batch; each gives a pair of texts."""
    learning_rate: float = 4e-4
    warm_up: float = 0.06
    """Share of the steps over which the rate rises."""
    temperature: float = 0.05
    rank: int = 16
    seed: int = 1
    measure_every: int = 250
    threads: int = 2


@dataclass(frozen=True, slots=True)
class NearestNameShares:
    """Share of held-apart phrases whose nearest name, of all findings, is their own or a relative's; 0 to 1."""

    english: float
    chinese: float


class ConceptTraining:
    """One run: what it trains on, what it measures on, where it is."""

    def __init__(self, recipe: Recipe, knowledge: Knowledge, out: Path, model: Path | None = None) -> None:
        import torch
        from tokenizers import Tokenizer

        from training.chinese_vocabulary import characters_by_frequency, extended_tokenizer, first_vectors
        from training.concept_batches import PairSampler
        from training.concept_encoder import ConceptEncoder

        torch.manual_seed(recipe.seed)
        torch.set_num_threads(recipe.threads)
        self.recipe, self.knowledge, self.out = recipe, knowledge, out
        self.folder = base_files(base_of(model), model)[BASE_WEIGHTS].parent
        everything = [*names_of(knowledge), *written_phrases(knowledge)]
        self.held_apart = [phrase for phrase in everything if phrase.split == "held_apart"]
        self.phrases = by_entry(phrase for phrase in everything if phrase.split == "train")
        base_tokenizer = _plain(Tokenizer.from_file(str(self.folder / TOKENIZER)))
        written, added = extended_tokenizer(
            (self.folder / TOKENIZER).read_text("utf-8"),
            characters_by_frequency(phrase.text for phrase in everything if phrase.language == "zh"),
        )
        self.tokenizer_json = written
        self._depends_on = json.dumps([asdict(recipe), knowledge.version, sum(map(len, self.phrases.values())), added])
        first = first_vectors(added, self.phrases, base_tokenizer, _word_embeddings(self.folder))
        tokenizer = _plain(Tokenizer.from_str(written))
        self.encoder = ConceptEncoder(self.folder, tokenizer, added, first, rank=recipe.rank)
        names = [next((p.text for p in own if p.language == "en"), own[0].text) for own in self.phrases.values()]
        self.encoder.eval()
        self.sampler = PairSampler(
            self.phrases, knowledge, self.vectors(names), concepts=recipe.concepts, seed=recipe.seed
        )

    def run(self, *, resume: bool = False) -> list[dict[str, float]]:
        """Trains to the last step; returns one line per measurement, also kept as history.jsonl."""
        import torch
        from torch.utils.tensorboard import SummaryWriter

        recipe = self.recipe
        groups = self.encoder.parameter_groups()
        optimizer = torch.optim.AdamW([{"params": g["params"], "weight_decay": g["weight_decay"]} for g in groups])
        scales = [float(str(group["scale"])) for group in groups]
        history: list[dict[str, float]] = []
        begun = self._restore(optimizer, history) if resume else 0
        curves = SummaryWriter(self.out / "curves")
        losses: list[float] = []
        batches = self.sampler.batches(recipe.steps)
        for step, batch in enumerate(tqdm(batches, total=recipe.steps, desc="steps", unit="step")):
            if step < begun:
                continue  # the sampler has drawn it: the run goes on with what it would have seen
            if step == begun == 0:
                history.append(self._note(0, 0.0, curves))
            for group, scale in zip(optimizer.param_groups, scales, strict=True):
                group["lr"] = recipe.learning_rate * scale * _rate(step, recipe)
            self.encoder.train()
            loss = self._loss(batch)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_([p for g in optimizer.param_groups for p in g["params"]], 1.0)
            optimizer.step()
            losses.append(float(loss.detach()))
            curves.add_scalar("loss", losses[-1], step)
            if (step + 1) % recipe.measure_every == 0 or step + 1 == recipe.steps:
                history.append(self._note(step + 1, float(np.mean(losses)), curves))
                losses = []
                self._keep(optimizer, history, step + 1)
        curves.close()
        self.finish(history)
        return history

    def finish(self, history: Sequence[Mapping[str, float]]) -> None:
        """Writes adapter, tokenizer, recipe and history."""
        self.encoder.save_adapter(self.out / ADAPTER)
        (self.out / TOKENIZER).write_text(self.tokenizer_json, encoding="utf-8")
        trained_on = {
            "entries": len(self.phrases),
            "texts": sum(map(len, self.phrases.values())),
            "held_apart": len(self.held_apart),
        }
        recipe = {**asdict(self.recipe), "knowledge": self.knowledge.version, "trained_on": trained_on}
        (self.out / "recipe.json").write_text(json.dumps(recipe, indent=1) + "\n", encoding="utf-8")
        (self.out / HISTORY).write_text("".join(json.dumps(row) + "\n" for row in history), encoding="utf-8")

    def vectors(self, texts: Sequence[str], batch: int = 256) -> NDArray[np.float32]:
        """[texts, width] without dropout, equal lengths near one another."""
        import torch

        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        found = np.zeros((len(texts), 0), np.float32)
        self.encoder.eval()
        with torch.no_grad():
            for start in range(0, len(order), batch):
                places = order[start : start + batch]
                vectors = self.encoder.embed([texts[place] for place in places]).numpy()
                if not found.size:
                    found = np.zeros((len(texts), vectors.shape[1]), np.float32)
                found[places] = vectors
        return found

    def measure(self) -> NearestNameShares:
        """Nearest name of each held-apart phrase, English and Chinese names together."""
        names = [(entry, phrase.text) for entry, own in self.phrases.items() if not entry.startswith("d:")
                 for phrase in own if phrase.source == "name"]  # fmt: skip
        index = self.vectors([text for _, text in names])
        right: dict[str, list[bool]] = {"en": [], "zh": []}
        if self.held_apart:
            vectors = self.vectors([phrase.text for phrase in self.held_apart])
            for phrase, row in zip(self.held_apart, (vectors @ index.T).argmax(axis=1), strict=True):
                found = names[int(row)][0]
                right[phrase.language].append(self.knowledge.related(found, phrase.entry))
        return NearestNameShares(*(float(np.mean(answers)) if answers else 0.0 for answers in right.values()))

    def _loss(self, batch: Any) -> Any:
        """Each text finds its partner among all others of the batch, relatives left out; both ways."""
        import torch

        texts = [*batch.left, *batch.right]
        left, right = self.encoder.embed(texts).chunk(2)
        likeness = left @ right.T / self.recipe.temperature
        likeness = likeness.masked_fill(~torch.from_numpy(batch.rival), float("-inf"))
        own = torch.arange(len(left))
        cross = torch.nn.functional.cross_entropy
        return (cross(likeness, own) + cross(likeness.T, own)) / 2

    def _note(self, step: int, loss: float, curves: Any) -> dict[str, float]:
        measured = self.measure()
        curves.add_scalars("nearest_name", asdict(measured), step)
        tqdm.write(f"step {step}: loss {loss:.3f}, nearest name en {measured.english:.3f} zh {measured.chinese:.3f}")
        return {"step": step, "loss": round(loss, 4), "english": measured.english, "chinese": measured.chinese}

    def _keep(self, optimizer: Any, history: list[dict[str, float]], step: int) -> None:
        import torch

        learned = {name: value for name, value in self.encoder.named_parameters() if value.requires_grad}
        state = {"depends_on": self._depends_on, "step": step, "learned": learned, "optimizer": optimizer.state_dict(), "history": history,
                 "torch": torch.get_rng_state()}  # fmt: skip
        torch.save(state, self.out / f"{CHECKPOINT}.new")
        (self.out / f"{CHECKPOINT}.new").replace(self.out / CHECKPOINT)

    def _restore_from(self, folder: Path) -> dict[str, Any]:
        """Takes over what a run in `folder` had learned; returns its checkpoint. Raises ValueError where there is none."""
        import torch

        path = folder / CHECKPOINT
        if not path.is_file():
            raise ValueError(f"{path} is not there: nothing to resume; start without --resume")
        state: dict[str, Any] = torch.load(path, weights_only=True)
        own = dict(self.encoder.named_parameters())
        with torch.no_grad():
            for name, value in state["learned"].items():
                own[name].copy_(value)
        return state

    def _restore(self, optimizer: Any, history: list[dict[str, float]]) -> int:
        """The step to go on with. Raises ValueError where there is no checkpoint."""
        import torch

        state = self._restore_from(self.out)
        if state["depends_on"] != self._depends_on:
            raise ValueError(f"the run in {self.out} had another recipe, knowledge or phrases; start without --resume")
        optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["torch"])
        history += state["history"]
        return int(state["step"])


def _rate(step: int, recipe: Recipe) -> float:
    """Rises over the warm-up, then falls to nothing in a straight line."""
    rise = max(1, round(recipe.warm_up * recipe.steps))
    return (step + 1) / rise if step < rise else (recipe.steps - step) / max(1, recipe.steps - rise)


def _plain(tokenizer: Any) -> Any:
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _word_embeddings(folder: Path) -> NDArray[np.float32]:
    from safetensors import safe_open

    with safe_open(folder / BASE_WEIGHTS, framework="numpy") as tensors:
        embeddings: NDArray[np.float32] = tensors.get_tensor("embeddings.word_embeddings.weight")
        return embeddings


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--out", type=Path, default=Path("var/concepts"), help="folder of the run (default: %(default)s)"
    )
    parser.add_argument("--model", type=Path, help="folder of another BERT-like encoder (default: the base package)")
    parser.add_argument("--resume", action="store_true", help="go on from the folder's last checkpoint")
    for name, value in asdict(Recipe()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)


def _run(options: Namespace) -> int:
    recipe = Recipe(**{name: getattr(options, name) for name in asdict(Recipe())})
    options.out.mkdir(parents=True, exist_ok=True)
    history = ConceptTraining(recipe, read_knowledge(), options.out, options.model).run(resume=options.resume)
    print(f"{options.out / ADAPTER}: nearest name en {history[-1]['english']:.3f} zh {history[-1]['chinese']:.3f}")
    return 0


COMMAND = Command("train-concepts", "teach the encoder what findings are called, English and Chinese", _arguments, _run)
