"""Thousands of made-up calls of each route: `python -m tests.fuzz.calls [--cases N] [--routes TEXT ...] [--write FILE]`.

Input : the web process's own OpenAPI document, through schemathesis
Output: a line for each slice of calls; var/fuzz/calls.jsonl, which a later run goes on from; with --write the figures
        in a page. 1 where a call met a server error or an answer that the document does not name.
Calls are made in slices of 100, each from a seed of its own: within one run Hypothesis holds every case against those it
liked best before, which at 100 cases already takes half of the time and grows with each case. Every other slice names the
service that exists; the others make its name up as well.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from benchmarks.processes import seconds_until_answers
from worker.local_redis import free_port

ROOT = Path(__file__).resolve().parents[2]
DONE = Path("var/fuzz/calls.jsonl")
CASES_OF_A_SLICE = 100
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
SERVICE = "dxspan-patient-view"
SLICE_SECONDS = 1800
"""Far more than a slice takes on a crowded machine."""
EVERYTHING = "all routes, one after the other"
START, END = "<!-- made-up calls -->", "<!-- end of made-up calls -->"


@dataclass(frozen=True, slots=True)
class Slice:
    """One run of schemathesis."""

    route: str
    """`POST /cds-services/{service_id}`, or EVERYTHING."""
    phases: str
    """`examples,coverage`, `fuzzing` or `stateful`."""
    seed: int
    named: bool
    """The service that exists is called."""

    @property
    def key(self) -> str:
        return f"{self.route}|{self.phases}|{self.seed}|{self.named}"


@dataclass(frozen=True, slots=True)
class Done:
    """What came of one."""

    key: str
    document: str
    """Digest of the OpenAPI document: cases of another one do not count."""
    route: str
    phases: str
    cases: int
    seconds: float
    passed: bool


def slices(document: Mapping[str, Any], cases: int, routes: Sequence[str]) -> list[Slice]:
    """All that make up `cases` calls of each route that contains one of `routes` (all, when empty)."""
    number = -(-cases // CASES_OF_A_SLICE)
    found: list[Slice] = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            route = f"{method.upper()} {path}"
            found.append(Slice(route, "examples,coverage", 0, named=True))
            # Nothing can be made up of a call that takes nothing.
            several = bool(operation.get("parameters") or operation.get("requestBody"))
            found += [Slice(route, "fuzzing", seed, named=seed % 2 == 0) for seed in range(number if several else 1)]
    found += [Slice(EVERYTHING, "stateful", seed, named=seed % 2 == 0) for seed in range(number)]
    return [one for one in found if not routes or any(text in one.route for text in routes)]


@contextmanager
def web_process() -> Iterator[str]:
    """The address of a web process with a plain reader, alone in a process."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {
            "DXSPAN_AUDIT_FOLDER": f"{folder}/audit",
            "DXSPAN_AUDIT_DATABASE_URL": f"sqlite:///{folder}/audit.db",
            "DXSPAN_CALLS_PER_SECOND": "0",
        }
        with Path(folder, "log").open("wb") as log:
            command = [sys.executable, "tests/cds_hooks/serve_plain.py", str(port)]
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            seconds_until_answers(f"http://127.0.0.1:{port}/healthz", limit=120)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(30)


def run(one: Slice, url: str, document: str) -> Done:
    """Makes the calls of one slice; what schemathesis says of a failure is kept in var/fuzz."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder, "schemathesis.toml")
        settings.write_text(f'[parameters]\n"path.service_id" = "{SERVICE}"\n' if one.named else "", encoding="utf-8")
        program = [
            sys.executable,
            "-m",
            "schemathesis.cli",
            "--config-file",
            str(settings),
            "run",
            f"{url}/openapi.json",
        ]
        limits = ["--checks", CHECKS, "--phases", one.phases, "--max-examples", str(CASES_OF_A_SLICE)]
        limits += ["--seed", str(one.seed), "--generation-database", "none", "--no-color"]
        if one.route != EVERYTHING:
            limits += ["--include-name", one.route]
        said = subprocess.run([*program, *limits], capture_output=True, text=True, cwd=folder, timeout=SLICE_SECONDS)
    made = re.search(r"(\d+) generated", said.stdout)
    if said.returncode:
        (DONE.parent / f"calls-{hashlib.sha256(one.key.encode()).hexdigest()[:8]}.txt").write_text(
            said.stdout + said.stderr
        )
    cases = int(made[1]) if made else 0
    seconds = round(time.monotonic() - begun, 1)
    return Done(one.key, document, one.route, one.phases, cases, seconds, said.returncode == 0)


def earlier(document: str) -> dict[str, Done]:
    """What runs before this one have done with the same document; a slice that failed is made again."""
    if not DONE.exists():
        return {}
    found = [Done(**json.loads(line)) for line in DONE.read_text(encoding="utf-8").splitlines()]
    return {one.key: one for one in found if one.document == document and one.passed}


def table(done: Sequence[Done]) -> list[str]:
    """The figures as Markdown."""
    lines = ["| route | calls made up | time, s | found |", "|---|---:|---:|---|"]
    for route in dict.fromkeys(one.route for one in done):
        ours = [one for one in done if one.route == route]
        failed = sum(not one.passed for one in ours)
        name = route if route == EVERYTHING else f"`{route}`"
        found = f"**{failed} slices failed**" if failed else "nothing"
        lines.append(
            f"| {name} | {sum(one.cases for one in ours):,} | {sum(one.seconds for one in ours):,.0f} | {found} |"
        )
    said = f"`python -m tests.fuzz.calls`, {datetime.now(UTC):%Y-%m-%d}, {len(done)} slices of at most {CASES_OF_A_SLICE} calls."
    return [*lines, "", said]


def write(page: Path, done: Sequence[Done]) -> None:
    """Puts the figures between START and END."""
    text = page.read_text(encoding="utf-8")
    before, rest = text.split(START, 1)
    page.write_text(
        f"{before}{START}\n\n" + "\n".join(table(done)) + f"\n\n{END}{rest.split(END, 1)[1]}", encoding="utf-8"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.calls", description="Make up calls of every route.")
    parser.add_argument("--cases", type=int, default=2000, help="of each route (default: %(default)s)")
    parser.add_argument("--routes", nargs="*", default=[], metavar="TEXT", help="only routes that contain one of these")
    parser.add_argument(
        "--minutes", type=float, default=60, help="begin no slice after this time (default: %(default)s)"
    )
    parser.add_argument("--at-once", type=int, default=1, help="slices at once (default: %(default)s)")
    parser.add_argument("--afresh", action="store_true", help="do not go on from an earlier run")
    parser.add_argument(
        "--write", type=Path, metavar="FILE", help="the page the figures are put into (docs/security/fuzzing.md)"
    )
    options = parser.parse_args(arguments)
    DONE.parent.mkdir(parents=True, exist_ok=True)
    if options.afresh:
        DONE.unlink(missing_ok=True)
    until = time.monotonic() + options.minutes * 60
    with web_process() as url:
        text = httpx.get(f"{url}/openapi.json", trust_env=False).content
        digest = hashlib.sha256(text).hexdigest()[:16]
        wanted = slices(json.loads(text), options.cases, options.routes)
        done = {key: one for key, one in earlier(digest).items() if key in {one.key for one in wanted}}
        left = [one for one in wanted if one.key not in done]

        def make(one: Slice) -> None:
            if time.monotonic() > until:
                return
            made = done[one.key] = run(one, url, digest)
            with DONE.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(made)) + "\n")
            verdict = "passed" if made.passed else "FAILED"
            print(
                f"[{len(done)}/{len(wanted)}] {one.key}: {made.cases} calls, {made.seconds:.0f} s, {verdict}",
                flush=True,
            )

        with ThreadPoolExecutor(options.at_once) as pool:
            list(pool.map(make, left))
    in_order = [done[one.key] for one in wanted if one.key in done]
    if options.write:
        write(options.write, in_order)
    print("\n".join(table(in_order)))
    if len(done) < len(wanted):
        print(f"{len(wanted) - len(done)} slices are left: run it again to go on")
    return 0 if all(one.passed for one in in_order) else 1


if __name__ == "__main__":
    sys.exit(main())
