"""One run of continued masked-language training: counted, estimated, trained, measured before and after.

Input : an encoder's name, texts, options
Output: the trained encoder in OUT, and the figures of the report
Knows the Trainer; reading texts and masking words are its neighbours' business.
"""

from __future__ import annotations

import copy
import time
from pathlib import Path
from statistics import median
from typing import Any

import torch
from transformers import Trainer, TrainingArguments, set_seed

from training.pretraining.language_model import language_model, perplexity, save_both
from training.pretraining.masked_blocks import Blocks, MaskedAnew, Masking
from training.pretraining.options import PretrainOptions
from training.pretraining.site_texts import SiteTexts
from training.tuning.checkpoints import CHECKPOINTS, begin
from training.tuning.encoders import longest_of
from training.tuning.peak_memory import peak_megabytes
from training.tuning.reporting import reporters

_TRIED_STEPS = 3


class Pretraining:
    """See the module."""

    def __init__(self, model: str | None, texts: SiteTexts, options: PretrainOptions, out: Path) -> None:
        """Raises ValueError where `model` cannot learn so."""
        set_seed(options.seed)
        if not torch.cuda.is_available():
            torch.set_num_threads(options.threads)
        self.options, self.out = options, out
        self.model, self.tokenizer, self.head_is_new = language_model(model)
        longest = min(options.longest, longest_of(self.model))
        self.blocks = Blocks(texts.train, self.tokenizer, longest)
        self.held_apart = Blocks(texts.held_apart, self.tokenizer, longest)

    def counts(self) -> dict[str, Any]:
        """What there is to learn from, and in how many steps."""
        return {
            "blocks": len(self.blocks), "tokens": self.blocks.tokens, "held_apart_tokens": self.held_apart.tokens,
            "unknown_share": round(self.blocks.unknown_share, 5), "head_is_new": self.head_is_new, "steps": self.steps,
        }  # fmt: skip

    @property
    def steps(self) -> int:
        """Optimizer steps, on one process."""
        options = self.options
        batches = -(-len(self.blocks) // options.batch)
        return options.steps or max(1, round(-(-batches // options.accumulate) * options.epochs))

    def seconds_per_step(self) -> float:
        """By a few steps on a copy that is thrown away."""
        device = "cuda" if torch.cuda.is_available() else "cpu"
        model = copy.deepcopy(self.model).train().to(device)
        collate = Masking(self.tokenizer, self.options.masked, self.options.seed)
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.0)
        seconds = []
        for number in range(_TRIED_STEPS):
            begun = time.monotonic()
            for part in range(self.options.accumulate):
                first = (number * self.options.accumulate + part) * self.options.batch
                places = [(first + place) % len(self.blocks) for place in range(self.options.batch)]
                batch = collate([self.blocks[place] for place in places])
                model(**{name: value.to(device) for name, value in batch.items()}).loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            seconds.append(time.monotonic() - begun)
        return median(seconds)

    def train(self, *, resume: bool, report_to: str) -> dict[str, Any]:
        """Trains, saves, and returns the figures. Raises ValueError where there is nothing to resume, or another run."""
        options = self.options
        begun_at = begin(self.out, repr((options.model_dump(), self.blocks.fingerprint)), resume=resume)
        before = self._perplexity()
        services, callbacks = reporters(report_to, self.out)
        set_seed(options.seed)
        masking = Masking(self.tokenizer, options.masked, options.seed)
        trainer = Trainer(
            model=self.model, args=self._arguments(services), train_dataset=self.blocks,
            data_collator=masking, callbacks=[*callbacks, MaskedAnew(masking)],
        )  # fmt: skip
        begun = time.monotonic()
        trainer.train(resume_from_checkpoint=begun_at)
        trainer.accelerator.unwrap_model(trainer.model_wrapped, keep_fp32_wrapper=False)  # measured in full precision
        seconds = time.monotonic() - begun
        losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
        figures = {
            "perplexity_before": before, "perplexity_after": self._perplexity(), "first_loss": losses[0],
            "last_loss": losses[-1], "seconds": round(seconds, 1), "peak_megabytes": peak_megabytes(),
            "steps": trainer.state.global_step,
        }  # fmt: skip
        if trainer.is_world_process_zero():
            save_both(self.model, self.tokenizer, self.out)
        return figures

    def _perplexity(self) -> float:
        return perplexity(self.model, self.held_apart, self.tokenizer, self.options.masked, self.options.batch)

    def _arguments(self, services: list[str]) -> TrainingArguments:
        options = self.options
        return TrainingArguments(
            output_dir=str(self.out / CHECKPOINTS),
            per_device_train_batch_size=options.batch,
            gradient_accumulation_steps=options.accumulate,
            learning_rate=options.learning_rate,
            warmup_steps=options.warm_up,
            num_train_epochs=options.epochs,
            max_steps=options.steps or -1,
            bf16=options.precision == "bf16",
            use_cpu=not torch.cuda.is_available(),
            seed=options.seed,
            data_seed=options.seed,
            logging_steps=5,
            logging_first_step=True,
            logging_nan_inf_filter=False,  # a loss that is no number is to be seen
            save_strategy="steps",
            save_steps=options.save_every,
            save_total_limit=2,
            remove_unused_columns=False,
            ddp_find_unused_parameters=False,
            dataloader_pin_memory=torch.cuda.is_available(),
            report_to=services,
            disable_tqdm=None,
        )
