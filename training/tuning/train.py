"""One training of one classifier on Hugging Face's Trainer, so that `accelerate launch` and `torchrun` work.

Input : a classifier, examples, options
Output: the classifier trained, its checkpoints in OUT/checkpoints, curves, and what the training took
The same seed, thread count and options give the same weights; a run that was cut goes on from its last checkpoint.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict
from transformers import EarlyStoppingCallback, Trainer, TrainingArguments, set_seed

from training.tuning.adversarial import Disturber
from training.tuning.checkpoints import CHECKPOINTS, begin
from training.tuning.classifier import TextClassifier
from training.tuning.examples import Batches, Examples
from training.tuning.methods import RankAllocation, regulariser
from training.tuning.options import Attack, TuningOptions
from training.tuning.peak_memory import peak_megabytes
from training.tuning.reporting import reporters

_DECAY = 0.01


class TrainingFigures(BaseModel):
    """What a training took."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    trained_weights: int
    all_weights: int
    steps: int
    tokens: int
    """Of one epoch, padding left out."""
    first_loss: float
    """Mean over the first tenth of what was logged."""
    last_loss: float
    seconds: float
    peak_megabytes: float
    """Of this process's memory; on a GPU of the GPU's."""
    stopped_early: bool


class TuningTrainer(Trainer):
    """The Trainer with what AdaLoRA and adversarial training add to the loss."""

    def __init__(self, *, tuning: TuningOptions, **given: Any) -> None:
        super().__init__(**given)
        self.model_accepts_loss_kwargs = False  # the loss is a mean over the batch, not over the whole step
        self._tuning = tuning

    def compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, *_: Any, **__: Any) -> Any:
        """The mean over the batch."""
        outputs: dict[str, torch.Tensor] = {}

        def forward() -> torch.Tensor:
            outputs.update(model(**inputs))
            return outputs["loss"]

        if model.training and self._tuning.adversarial:
            loss = _adversarial(self._plain(model), forward, self._tuning.adversarial, self._tuning.epsilon)
        else:
            loss = forward()
        if model.training and (extra := regulariser(self._plain(model).encoder, self._tuning.method)) is not None:
            loss = loss + extra
        return (loss, outputs) if return_outputs else loss

    def _plain(self, model: Any) -> TextClassifier:
        """Without what distributed training wraps around it."""
        plain: TextClassifier = self.accelerator.unwrap_model(model)
        return plain


def train(
    classifier: TextClassifier,
    examples: Examples,
    development: Examples,
    options: TuningOptions,
    out: Path,
    *,
    batches: Batches,
    resume: bool = False,
    report_to: str = "none",
) -> TrainingFigures:
    """Trains in place. development may be empty unless `patience` is set.

    Raises ValueError where there is nothing to resume, what is there is of another run, or nothing to stop early by.
    """
    if options.patience and not len(development):
        raise ValueError("early stopping needs development texts; give more texts, or leave --patience out")
    depends_on = repr((options.model_dump(), len(classifier.state_dict()), examples.fingerprint))
    begun_at = begin(out, depends_on, resume=resume)
    set_seed(options.seed)
    if not torch.cuda.is_available():
        torch.set_num_threads(options.threads)
    services, callbacks = reporters(report_to, out)
    if options.method == "adalora":
        callbacks.append(RankAllocation(classifier.encoder))
    if options.patience:
        callbacks.append(EarlyStoppingCallback(options.patience))
    trainer = TuningTrainer(
        tuning=options, model=classifier, args=_arguments(options, out, services, bool(len(development))),
        train_dataset=examples, eval_dataset=development if len(development) else None, data_collator=batches,
        callbacks=callbacks, optimizers=(_optimizer(classifier, options), None),
    )  # fmt: skip
    begun = time.monotonic()
    trainer.train(resume_from_checkpoint=begun_at)
    trainer.accelerator.unwrap_model(trainer.model_wrapped, keep_fp32_wrapper=False)  # answers in full precision again
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    tenth = max(1, len(losses) // 10)
    learned, everything = classifier.counts()
    return TrainingFigures(
        trained_weights=learned, all_weights=everything, steps=trainer.state.global_step, tokens=examples.tokens,
        first_loss=sum(losses[:tenth]) / tenth, last_loss=sum(losses[-tenth:]) / tenth,
        seconds=round(time.monotonic() - begun, 1), peak_megabytes=peak_megabytes(),
        stopped_early=trainer.state.global_step < trainer.state.max_steps,
    )  # fmt: skip


def planned_steps(count: int, options: TuningOptions, processes: int = 1) -> int:
    """Optimizer steps for `count` examples."""
    batches = -(-count // (options.batch * processes))
    return max(1, round(-(-batches // options.accumulate) * options.epochs))


def _adversarial(classifier: TextClassifier, forward: Any, attack: Attack, epsilon: float) -> torch.Tensor:
    embeddings = next(
        module for name, module in classifier.encoder.named_modules() if name.rpartition(".")[2] == "embeddings"
    )
    clean, moved = Disturber(embeddings, attack, epsilon).losses(forward)
    return (clean + moved) / 2


def _arguments(options: TuningOptions, out: Path, services: list[str], measured: bool) -> TrainingArguments:
    return TrainingArguments(
        output_dir=str(out / CHECKPOINTS),
        per_device_train_batch_size=options.batch,
        per_device_eval_batch_size=4 * options.batch,
        gradient_accumulation_steps=options.accumulate,
        num_train_epochs=options.epochs,
        lr_scheduler_type={"constant": "constant_with_warmup"}.get(options.schedule, options.schedule),
        warmup_steps=options.warm_up,
        bf16=options.precision == "bf16",
        use_cpu=not torch.cuda.is_available(),
        seed=options.seed,
        data_seed=options.seed,
        logging_steps=1,
        logging_nan_inf_filter=False,  # a loss that is no number is to be seen
        eval_strategy="epoch" if measured else "no",
        save_strategy="epoch",
        save_total_limit=2,
        load_best_model_at_end=options.patience > 0,
        metric_for_best_model="eval_loss" if options.patience else None,
        remove_unused_columns=False,
        ddp_find_unused_parameters=False,
        dataloader_pin_memory=torch.cuda.is_available(),
        report_to=services,
        disable_tqdm=None,
    )


def _optimizer(classifier: TextClassifier, options: TuningOptions) -> torch.optim.Optimizer:
    head = list(classifier.head.parameters())
    encoder = [parameter for parameter in classifier.encoder.parameters() if parameter.requires_grad]
    return torch.optim.AdamW(
        [
            {"params": encoder, "lr": options.rate, "weight_decay": _DECAY},
            {"params": head, "lr": options.head_learning_rate, "weight_decay": _DECAY},
        ]
    )
