"""Fuzzes one reader: `python -m tests.fuzz rtf --seconds 60`. Needs atheris (requirements/fuzz.lock).

Starts from the seeds in `seeds/<reader>`, keeps what it learns in var/fuzz, and ends with an error and the input that
made it, written to var/fuzz, at the first finding.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

try:
    import atheris
except ImportError:
    sys.exit("atheris is not installed: pip install --require-hashes -r requirements/fuzz.lock")

with atheris.instrument_imports(include=["nlp_core", "striprtf"]):
    from tests.fuzz.targets import TARGETS

SEEDS = Path(__file__).parent / "seeds"
LEARNED = Path("var/fuzz")
SLOWEST_SECONDS = 5
"""An input that takes longer is a finding."""
MAX_LENGTH = 16_384
MEMORY_MB = 1024


def main() -> None:
    """Never returns: libFuzzer ends the process."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz a reader of documents.")
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=int, default=60, help="how long (default: %(default)s)")
    options = parser.parse_args()
    learned = LEARNED / options.target
    learned.mkdir(parents=True, exist_ok=True)
    arguments = [
        sys.argv[0], str(learned), str(SEEDS / options.target), f"-max_total_time={options.seconds}",
        f"-timeout={SLOWEST_SECONDS}", f"-max_len={MAX_LENGTH}", f"-rss_limit_mb={MEMORY_MB}",
        f"-artifact_prefix={LEARNED}/{options.target}-", f"-dict={SEEDS / options.target}.dict", "-print_final_stats=1",
    ]  # fmt: skip
    atheris.Setup(arguments, TARGETS[options.target])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
