"""The checkpoints of one folder: begun anew, or gone on with where they are of the same run.

Knows files and a fingerprint of what a run depends on; what a checkpoint holds is the Trainer's business.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

from transformers import trainer_utils

CHECKPOINTS, DEPENDS_ON = "checkpoints", "depends-on.sha256"


def begin(out: Path, depends_on: str, *, resume: bool) -> str | None:
    """The checkpoint to go on from, None where the run begins; what an earlier run left is then removed.

    depends_on: everything that makes the weights what they are, kept as a fingerprint alone.
    Raises ValueError where there is nothing to resume, or what is there is of another run.
    """
    folder, mark = out / CHECKPOINTS, hashlib.sha256(depends_on.encode()).hexdigest()
    if not resume:
        if os.environ.get("RANK", "0") == "0":  # one process clears
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            (folder / DEPENDS_ON).write_text(mark, encoding="utf-8")
        return None
    trainer: Any = trainer_utils  # has no types
    found = trainer.get_last_checkpoint(str(folder)) if folder.is_dir() else None
    if found is None:
        raise ValueError(f"{folder} holds no checkpoint: nothing to resume; start without --resume")
    if (folder / DEPENDS_ON).read_text("utf-8") != mark:
        raise ValueError(f"the run in {out} had other texts, options or another encoder; start without --resume")
    return str(found)
