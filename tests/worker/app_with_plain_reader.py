"""Starts a real worker that reads with PlainReader: `python -m tests.worker.app_with_plain_reader`."""

from __future__ import annotations

import sys

from tests.worker.plain_reader import PlainReader
from worker.__main__ import main

if __name__ == "__main__":
    sys.exit(main(load_reader=PlainReader))
