"""`dxspan-train fit`: the encoder learns what findings are called, and its heads to find and judge them in sentences.

Input : a recipe, the knowledge's names, training/phrases, invented charts; where the recipe says so, training/cases; with
        `--with`, a hospital's prepared notes
Output: adapter.safetensors, tokenizer.json, heads.safetensors and finding_centres.safetensors for `dxspan-train export-model
        --trained`, curves for TensorBoard; bad-rows.tsv where a prepared line could not be read
One command, seeded; the same seed and thread count give the same weights. A run that is cut goes on from its last
checkpoint with `--resume`.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from hashlib import sha256
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from nlp_core.adapters import ADAPTER
from nlp_core.base_package import base_files
from nlp_core.bundle_manifest import BASE_WEIGHTS, FINDING_CENTRES, HEAD_WEIGHTS, TOKENIZER
from nlp_core.knowledge import Knowledge
from nlp_core.knowledge_files import read_knowledge
from nlp_core.text_view import view
from training.command import Command
from training.export_model import base_of
from training.matching.cases import FOLDER as CASES
from training.matching.cases import read_cases
from training.model.diagnosis_features import diagnosis_features
from training.model.measure_training import Measured, SentenceMeasure, nearest_name_shares
from training.model.named_encoder import add_model_argument, encoder_folder
from training.model.recipe import SHIPPED, Recipe, read_recipe, write_recipe
from training.phrases import Phrase, by_entry, names_of, written_phrases

CHECKPOINT = "checkpoint.pt"
HISTORY = "history.jsonl"
RECIPE = "recipe.yaml"
CURVES = "curves"
ENCODER = "encoder"
"""Folder of the whole encoder where all of its weights were trained."""
_SHOWN = 20
"""Batches of wordings from which on a bar tells how far they are read."""
_FEATURES_EVERY = 250
"""Steps after which the diagnoses are placed anew by the encoder as it has become."""


class Training:
    """One run: what it trains on, what it measures on, where it is."""

    def __init__(
        self,
        recipe: Recipe,
        knowledge: Knowledge,
        out: Path,
        model: Path | None = None,
        prepared: Path | None = None,
        cases: Path = CASES,
    ) -> None:
        """prepared: a folder of `dxspan-train prepare`, whose sentences are learned beside those of invented charts. cases: the
        folder of them."""
        import torch

        from training.model.heads import Heads
        from training.model.pair_batches import PairSampler
        from training.model.prepared_sentences import PreparedSentences

        torch.manual_seed(recipe.seed)
        torch.set_num_threads(recipe.threads)
        self.recipe, self.knowledge, self.out, self._cases = recipe, knowledge, out, cases
        self.folder = base_files(base_of(model), model)[BASE_WEIGHTS].parent
        everything = [*names_of(knowledge), *written_phrases(knowledge)]
        self.held_apart = [phrase for phrase in everything if phrase.split == "held_apart"]
        self.phrases = by_entry(phrase for phrase in everything if phrase.split == "train")
        device = recipe.device if recipe.device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
        self.encoder = self._encoder(everything).to(device)
        self.heads = Heads(self.encoder.width).to(device)
        self.encoder.eval()
        self.pairs = PairSampler(
            self.phrases, knowledge, self.vectors(self._display_names()), concepts=recipe.concepts, seed=recipe.seed
        )
        self.prepared = PreparedSentences(prepared, knowledge) if prepared else None
        self.sentences = self._sampler(recipe.seed)
        self.cases = self._case_task() if recipe.cases else None
        self.measure = SentenceMeasure(
            knowledge, count=recipe.measure_sentences, seed=recipe.seed + 7, chinese=recipe.chinese
        )
        self._random = np.random.default_rng(recipe.seed)
        self._depends_on = json.dumps(
            [recipe.model_dump(), knowledge.version, sum(map(len, self.phrases.values())),
             self.prepared.fingerprint if self.prepared else "", self.cases.cases.fingerprint if self.cases else "",
             sha256(self.encoder.tokenizer.to_str().encode()).hexdigest() if recipe.grown_rows else ""]
        )  # fmt: skip
        self.features = torch.zeros(0)

    def run(self, *, resume: bool = False) -> list[Measured]:
        """Trains to the last step; returns what was measured, also kept as history.jsonl."""
        import torch
        from torch.utils.tensorboard import SummaryWriter

        recipe = self.recipe
        optimizer = self._optimizer()
        history: list[Measured] = []
        begun = self._restore(optimizer, history) if resume else 0
        if self.cases and not resume:
            self.cases.begin(self.vectors)
        curves = SummaryWriter(self.out / CURVES)
        drawn = zip(
            self.pairs.batches(recipe.steps),
            self.sentences.batches(recipe.sentences, recipe.steps),
            self.cases.batches(recipe.steps) if self.cases else repeat([], recipe.steps),
            strict=True,
        )
        for step, (pairs, sentences, cases) in enumerate(tqdm(drawn, total=recipe.steps, desc="steps", unit="step")):
            names = self._names_for(sentences)
            if step < begun:
                continue  # the samplers have drawn it: the run goes on with what it would have seen
            if not len(self.features) or step % _FEATURES_EVERY == 0:
                features = diagnosis_features(self.knowledge, self.vectors)
                self.features = torch.from_numpy(features).to(self.encoder.device)
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * _rate(step, recipe)
            losses = self._losses(pairs, sentences, names, cases)
            loss = sum(
                (getattr(recipe.weights, name) * value for name, value in losses.items()),
                torch.zeros((), device=self.encoder.device),
            )
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_([p for g in optimizer.param_groups for p in g["params"]], 1.0)
            optimizer.step()
            for name, value in losses.items():
                curves.add_scalar(f"loss/{name}", float(value.detach()), step)
            if (step + 1) % recipe.measure_every == 0 or step + 1 == recipe.steps:
                history.append(self._measured(step + 1, {n: float(v.detach()) for n, v in losses.items()}, curves))
                self._keep(optimizer, history, step + 1)
        if recipe.resting_sentences and recipe.weights.evidence:
            self._rest()
            history.append(self._measured(recipe.steps, {}, curves))
        curves.close()
        self.finish(history)
        return history

    def _rest(self) -> None:
        """The encoder rests, the sentence heads learn on."""
        import torch

        from training.model.evidence_stage import learn, read_sentences

        recipe = self.recipe
        sampler = self._sampler(recipe.seed + 3)
        examples = [
            example for batch in sampler.batches(500, recipe.resting_sentences // 500 or 1) for example in batch
        ]
        self.features = torch.from_numpy(diagnosis_features(self.knowledge, self.vectors)).to(self.encoder.device)
        read = read_sentences(self.encoder, examples, sampler.targets(examples))
        loss = learn(self.heads, read, self.features, epochs=recipe.resting_epochs, seed=recipe.seed)
        tqdm.write(f"sentence heads at rest: evidence loss {loss:.3f}")

    def _sampler(self, seed: int) -> Any:
        from training.model.sentence_batches import SentenceSampler

        more = self.prepared.stream() if self.prepared else None
        recipe = self.recipe
        return SentenceSampler(
            self.knowledge, seed=seed, chinese=recipe.chinese, more=more, share=recipe.prepared, charts=recipe.charts
        )

    def _case_task(self) -> Any:
        from training.model.case_task import CaseTask

        return CaseTask(self.recipe, self.knowledge, self.encoder, self._cases)

    def finish(self, history: Sequence[Measured]) -> None:
        """Writes adapter, heads, tokenizer, recipe and history; with `full` the whole encoder."""
        from safetensors.torch import save_file

        from training.model.learned_centres import learned_centres, wordings

        self.encoder.save_adapter(self.out / ADAPTER)
        save_file(
            {n: p.detach().cpu().contiguous() for n, p in self.heads.state_dict().items()}, self.out / HEAD_WEIGHTS
        )
        (self.out / TOKENIZER).write_text(self.encoder.tokenizer.to_str(), encoding="utf-8")
        told = wordings(
            (*chain.from_iterable(self.phrases.values()), *self.held_apart),
            self.knowledge,
            self.vectors,
            most=self.recipe.centre_wordings,
        )
        learned_centres(told, seed=self.recipe.seed, epochs=self.recipe.centre_epochs).save(self.out / FINDING_CENTRES)
        if self.recipe.tuning == "full":
            self.encoder.base.save_pretrained(self.out / ENCODER)
            (self.out / ENCODER / TOKENIZER).write_text(self.encoder.tokenizer.to_str(), encoding="utf-8")
        write_recipe(self.out / RECIPE, self.recipe)
        self._write_history(history)

    def vectors(self, texts: Sequence[str], batch: int = 256) -> NDArray[np.float32]:
        """Unit vectors [texts, width], nothing learned from them."""
        import torch

        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        found = np.zeros((len(texts), self.encoder.width), np.float32)
        self.encoder.eval()
        starts = range(0, len(order), batch)
        with torch.no_grad():
            for start in tqdm(starts, desc="wordings read", unit="batch", disable=len(starts) < _SHOWN, leave=False):
                places = order[start : start + batch]
                found[places] = self.encoder.embed([texts[place] for place in places]).cpu().numpy()
        return found

    def _encoder(self, everything: Sequence[Phrase]) -> Any:
        """The base with Chinese characters in its free slots, where its vocabulary is one of word pieces that lacks them, and in rows
        behind its last, where the recipe grows it."""
        from tokenizers import Tokenizer

        from training.model.chinese_vocabulary import characters_by_frequency, extended_tokenizer, first_vectors
        from training.model.tuned_encoder import TunedEncoder

        recipe, written = self.recipe, (self.folder / TOKENIZER).read_text("utf-8")
        if json.loads(written)["model"]["type"] != "WordPiece":
            return TunedEncoder(
                self.folder, _plain(Tokenizer.from_str(written)), tuning=recipe.tuning, rank=recipe.rank
            )
        chinese = [phrase.text for phrase in everything if phrase.language == "zh"]
        if recipe.grown_rows:
            chinese += [view(case.text).text for case in read_cases(self._cases)]
        grown = _rows_behind(self.folder, recipe.grown_rows)
        extended, added = extended_tokenizer(written, characters_by_frequency(chinese), grown)
        base_tokenizer = _plain(Tokenizer.from_str(written))
        first = first_vectors(added, self.phrases, base_tokenizer, _word_vectors(self.folder)) if added else None
        tokenizer = _plain(Tokenizer.from_str(extended))
        return TunedEncoder(self.folder, tokenizer, tuning=recipe.tuning, rank=recipe.rank, rows=added, first=first)

    def _display_names(self) -> list[str]:
        """One name per entry, English where there is one, in the order of the phrases."""
        return [next((p.text for p in own if p.language == "en"), own[0].text) for own in self.phrases.values()]

    def _names_for(self, sentences: Sequence[Any]) -> dict[str, str]:
        """Any wording of each entry that the sentences hold."""
        entries = dict.fromkeys(span.entry for example in sentences for span in example.spans)
        return {entry: self._any_of(self.phrases[entry]) for entry in entries}

    def _any_of(self, wordings: Sequence[Phrase]) -> str:
        return wordings[int(self._random.integers(len(wordings)))].text

    def _losses(
        self, pairs: Any, sentences: Sequence[Any], names: dict[str, str], cases: Sequence[Any]
    ) -> dict[str, Any]:
        from training.model.losses import concept_loss, sentence_losses

        self.encoder.train()
        temperature = self.recipe.temperature
        losses = sentence_losses(
            self.encoder, self.heads, sentences, self.sentences.targets(sentences), names,
            self.heads.placed(self.features), temperature,
        )  # fmt: skip
        if self.recipe.weights.concept:
            losses["concept"] = concept_loss(self.encoder, pairs, temperature)
        if self.cases:
            losses["cases"] = self.cases.loss(cases)
        return losses

    def _optimizer(self) -> Any:
        """The encoder with a little weight decay, new vocabulary rows at a higher rate without, the heads at their own, and so what
        learns from cases."""
        import torch

        recipe = self.recipe
        groups = [
            (self.encoder.learning(), recipe.learning_rate, 0.01),
            ([self.encoder.new_rows.values] if self.encoder.new_rows else [], 5 * recipe.learning_rate, 0.0),
            (list(self.heads.parameters()), recipe.head_learning_rate, 0.01),
            (list(self.cases.network.parameters()) if self.cases else [], recipe.head_learning_rate, 0.0),
        ]
        return torch.optim.AdamW(
            [
                {"params": params, "peak": peak, "lr": peak, "weight_decay": decay}
                for params, peak, decay in groups
                if params
            ]
        )

    def _measured(self, step: int, losses: dict[str, float], curves: Any) -> Measured:
        english, chinese = nearest_name_shares(self.phrases, self.held_apart, self.knowledge, self.vectors)
        found = self.measure.of(self.encoder, self.heads, self.features)
        if self.cases:
            found |= self.cases.measured()
        measured = Measured(step=step, losses=losses, nearest_english=english, nearest_chinese=chinese, **found)
        for name, value in measured.figures().items():
            curves.add_scalar(f"held_apart/{name}", value, step)
        tqdm.write(measured.line())
        return measured

    def _write_history(self, history: Sequence[Measured]) -> None:
        lines = "".join(measured.model_dump_json(exclude_none=True) + "\n" for measured in history)
        (self.out / HISTORY).write_text(lines, encoding="utf-8")

    def _keep(self, optimizer: Any, history: list[Measured], step: int) -> None:
        import torch

        self._write_history(history)
        learned = {name: value for name, value in self.encoder.named_parameters() if value.requires_grad}
        state = {
            "depends_on": self._depends_on, "step": step, "learned": learned, "heads": self.heads.state_dict(),
            "cases": self.cases.network.state_dict() if self.cases else {},
            "optimizer": optimizer.state_dict(), "history": [measured.model_dump() for measured in history],
            "torch": torch.get_rng_state(), "features": self.features,
        }  # fmt: skip
        torch.save(state, self.out / f"{CHECKPOINT}.new")
        (self.out / f"{CHECKPOINT}.new").replace(self.out / CHECKPOINT)

    def _restore(self, optimizer: Any, history: list[Measured]) -> int:
        """The step to go on with. Raises ValueError where there is no checkpoint, or one of another run."""
        import torch

        state: dict[str, Any] = torch.load(checkpoint_in(self.out), weights_only=True, map_location="cpu")
        if state["depends_on"] != self._depends_on:
            raise ValueError(f"the run in {self.out} had another recipe, knowledge or phrases; start without --resume")
        own = dict(self.encoder.named_parameters())
        with torch.no_grad():
            for name, value in state["learned"].items():
                own[name].copy_(value)
        self.heads.load_state_dict(state["heads"])
        if self.cases:
            self.cases.network.load_state_dict(state["cases"])
        optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["torch"])
        self.features = state["features"].to(self.encoder.device)
        history += [Measured.model_validate(measured) for measured in state["history"]]
        return int(state["step"])


def checkpoint_in(out: Path) -> Path:
    """Raises ValueError where the folder has none."""
    path = out / CHECKPOINT
    if not path.is_file():
        raise ValueError(f"{path} is not there: nothing to resume; start without --resume")
    return path


def _rate(step: int, recipe: Recipe) -> float:
    """Rises over the warm-up, then falls to nothing in a straight line."""
    rise = max(1, round(recipe.warm_up * recipe.steps))
    return (step + 1) / rise if step < rise else (recipe.steps - step) / max(1, recipe.steps - rise)


def _plain(tokenizer: Any) -> Any:
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _rows_behind(folder: Path, count: int) -> range:
    """The ids of so many rows behind the base's vocabulary."""
    rows = len(_word_vectors(folder)) if count else 0
    return range(rows, rows + count)


def _word_vectors(folder: Path) -> NDArray[np.float32]:
    """The base's vocabulary, as the first tensor of that name has it."""
    from safetensors import safe_open

    with safe_open(folder / BASE_WEIGHTS, framework="numpy") as tensors:
        name = next(name for name in sorted(tensors.keys()) if name.endswith("word_embeddings.weight"))
        vectors: NDArray[np.float32] = tensors.get_tensor(name)
        return vectors


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, default=Path("var/model"), help="folder of the run (default: %(default)s)")
    parser.add_argument("--recipe", type=Path, default=SHIPPED, help="YAML file (default: the shipped recipe)")
    add_model_argument(parser)
    parser.add_argument("--steps", type=int, help="instead of the recipe's")
    parser.add_argument(
        "--with", dest="prepared", type=Path, help="folder of `dxspan-train prepare`: its notes are learned too"
    )
    parser.add_argument("--resume", action="store_true", help="go on from the folder's last checkpoint")
    parser.add_argument("--dry-run", action="store_true", help="count what it would learn from, train nothing")


def _run(options: Namespace) -> int:
    from training.site.prepared_folders import tell_bad_lines

    recipe = read_recipe(options.recipe)
    if options.steps:
        recipe = recipe.model_copy(update={"steps": options.steps})
    model = encoder_folder(options.model)
    if options.dry_run:
        _tell_plan(options, recipe, model)
        return 0
    options.out.mkdir(parents=True, exist_ok=True)
    training = Training(recipe, read_knowledge(), options.out, model, options.prepared)
    if training.prepared:
        tell_bad_lines(training.prepared.bad, options.out)
    history = training.run(resume=options.resume)
    print(f"{options.out}: {history[-1].line()}")
    return 0


def _tell_plan(options: Namespace, recipe: Recipe, model: Path | None) -> None:
    """What the dry run says. Raises as the run itself would before it trains."""
    from training.model.fit_plan import planned
    from training.model.prepared_sentences import PreparedSentences
    from training.site.prepared_folders import BAD_ROWS, tell_bad_lines

    knowledge = read_knowledge()
    encoder = base_files(base_of(model), model)[BASE_WEIGHTS].parent
    if options.resume:
        checkpoint_in(options.out)
    prepared = PreparedSentences(options.prepared, knowledge) if options.prepared else None
    files = [ADAPTER, HEAD_WEIGHTS, TOKENIZER, FINDING_CENTRES, RECIPE, HISTORY, CHECKPOINT, CURVES]
    if recipe.tuning == "full":
        files.append(ENCODER)
    if prepared and prepared.bad:
        tell_bad_lines(prepared.bad)
        files.append(BAD_ROWS)
    for line in planned(recipe, knowledge, encoder, prepared, files):
        print(line)
    print(f"dry run: nothing written to {options.out}")


COMMAND = Command("fit", "train the encoder and its heads by a recipe", _arguments, _run)
