"""Starts a real worker that reads with PlainReader: `python -m tests.worker.app_with_plain_reader`.

PLAIN_CLOCK_AHEAD: seconds its clock is ahead. PLAIN_MEMORY_MIB: memory it may use. PLAIN_MODEL: version it reads with.
PLAIN_STUCK: path of a file from whose existence on it takes nothing from the queue any more (celery #10205).
"""

from __future__ import annotations

import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

if ahead := float(os.environ.get("PLAIN_CLOCK_AHEAD", "0")):
    true_time = time.time
    time.time = lambda: true_time() + ahead  # before kombu is imported, which keeps the function

from kombu.transport import redis as kombu_redis

from tests.worker.plain_reader import MODEL_VERSION, PlainReader
from worker import own_canary
from worker.__main__ import main

if stuck := os.environ.get("PLAIN_STUCK"):
    own_canary.EVERY_SECONDS, own_canary.LOST_AFTER_SECONDS = 0.2, 0.6
    take = kombu_redis.Channel._brpop_start

    def take_unless_stuck(self: Any, *args: Any, **options: Any) -> Any:
        return None if Path(stuck).exists() else take(self, *args, **options)

    kombu_redis.Channel._brpop_start = take_unless_stuck


def load() -> PlainReader:
    return PlainReader(os.environ.get("PLAIN_MODEL", MODEL_VERSION))


if __name__ == "__main__":
    if mebibytes := int(os.environ.get("PLAIN_MEMORY_MIB", "0")):
        resource.setrlimit(resource.RLIMIT_AS, (mebibytes * 2**20, mebibytes * 2**20))
    sys.exit(main(load_reader=load))
