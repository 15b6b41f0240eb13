"""`dxspan-train evaluate-site`: a model on a hospital's own prepared notes, beside the shipped one.

Input : folders of `dxspan-train prepare`, a composed bundle     Output: report.json and report.html, figures alone
Knows the order and what is kept of it: readings lie beside the reports (keyed marks, no text), so a run that was cut
goes on, and one with the same input reads nothing twice.
"""

from __future__ import annotations

import hashlib
import json
import os
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from training.command import Command, said
from training.prepare.prepared_note import SPLITS
from training.site.measured_model import MeasuredModel, models
from training.site.prepared_folders import fingerprint, sites_of, write_bad_lines
from training.site.read_site import SiteReading, read_site
from training.site.site_figures import differences, figures_of, gaps, groups, reliability, silences
from training.site.site_notes import SiteNotes, counted, read_site_notes
from training.site.site_page import page, percent, share, signed
from training.site.site_report import PAGE, REPORT, Data, Side, SiteReport
from training.site.site_variants import Told, Written, otherwise_written, told_of_others

MOST, VARIANTS, FEWEST = 5000, 100, 20
BAD_ROWS = "bad-rows.tsv"
_LARGEST_PAGE = 500_000
"""Bytes of report.html."""
PartT = TypeVar("PartT", bound=BaseModel)


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--prepared", action="append", required=True, metavar="FOLDER",
                        help="FOLDER or NAME=FOLDER of `dxspan-train prepare`; give it once for each site")  # fmt: skip
    parser.add_argument("--bundle", type=Path, help="composed bundle to measure (default: the one set-up made)")
    parser.add_argument("--against", metavar="BUNDLE", help="`shipped`, or a composed bundle to compare with")
    parser.add_argument("--out", type=Path, required=True, help="folder for report.json and report.html")
    parser.add_argument("--split", choices=SPLITS, default="test", help="default: %(default)s")
    parser.add_argument("--most", type=int, default=MOST, help="coded notes to read (default: %(default)s)")
    parser.add_argument("--variants", type=int, default=VARIANTS,
                        help="of them also read some twenty times, otherwise written and of somebody else (default: %(default)s)")  # fmt: skip
    parser.add_argument("--fewest", type=int, default=FEWEST, help="patients a group must have to be told (default: %(default)s)")  # fmt: skip
    parser.add_argument("--seed", type=int, default=17)
    parser.add_argument("--dry-run", action="store_true", help="count notes and groups, read none, write nothing")


def _run(options: Namespace) -> int:
    if min(options.most, options.fewest) < 1 or options.variants < 0:
        raise ValueError("--most and --fewest take 1 or more, --variants 0 or more")
    sites = sites_of(options.prepared)
    notes = read_site_notes(sites, options.split, most=options.most)
    print(f"{len(notes.notes)} coded notes of {notes.patients} patients; {notes.without_codes} without codes, {notes.beyond} beyond"
          f" --most, {len(notes.bad)} unreadable lines")  # fmt: skip
    if options.dry_run:
        _tell_groups(notes, options.fewest)
        return 0
    if notes.patients < options.fewest:
        raise ValueError(
            f"{notes.patients} patients with coded notes; below {options.fewest} nothing is told (--fewest)"
        )
    options.out.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_bad_lines(options.out / BAD_ROWS, notes.bad)
    report = _measured(options, notes, fingerprint(sites, options.split))
    written = page(report)
    if len(written.encode()) > _LARGEST_PAGE:
        raise ValueError(f"the page would exceed {_LARGEST_PAGE:,} bytes: give fewer sites")
    (options.out / REPORT).write_text(report.model_dump_json(indent=1) + "\n", encoding="utf-8")
    (options.out / PAGE).write_text(written, encoding="utf-8")
    _tell(report, options.out)
    return 1 if notes.bad else 0


def _measured(options: Namespace, notes: SiteNotes, data: str) -> SiteReport:
    ours, other = models(options.bundle, options.against)
    depends_on = f"{data} {options.most}"
    readings = read_site(ours, notes.notes, options.out / "readings.jsonl", depends_on, what="this model")
    shipped: list[SiteReading] = []
    if other:
        kept = options.out / "readings-against.jsonl"
        shipped = read_site(other, notes.notes, kept, depends_on, what="the other model")
    sample = notes.notes[: options.variants]
    part = Parts(options.out, f"{depends_on} {options.variants} {options.seed} {ours.version}")
    written = part.of("written", Written, lambda: otherwise_written(ours.reader, sample)) if sample else []
    told = part.of("told", Told, lambda: told_of_others(ours.reader, sample, seed=options.seed)) if sample else []
    by_group = groups(readings, options.fewest)
    return SiteReport(
        date=datetime.now(UTC).date().isoformat(),
        command="dxspan-train evaluate-site" + said(options, "bundle", "against", "split", "most", "variants", "fewest", "seed"),
        data=Data(
            sites=tuple(sorted({one.site for one in notes.notes})), split=options.split, seed=options.seed,
            without_codes=notes.without_codes, beyond=notes.beyond, bad_lines=len(notes.bad), fewest=options.fewest,
            variants=len(sample),
        ),
        ours=side(ours, readings), shipped=side(other, shipped) if other else None,
        differences=differences(readings, shipped, seed=options.seed) if other else {},
        groups=tuple(by_group), gaps=gaps(by_group), silences=silences(readings, options.fewest),
        reliability=tuple(reliability(readings)), written=tuple(written), told=tuple(told),
    )  # fmt: skip


def side(model: MeasuredModel, readings: Sequence[SiteReading]) -> Side:
    """A model with its figures."""
    return Side(
        model=model.version, knowledge=model.knowledge.version, calibrated=model.calibrated, figures=figures_of(readings)
    )  # fmt: skip


class Parts:
    """What takes long and is figures alone, kept as JSON beside the report with what it depends on."""

    def __init__(self, folder: Path, depends_on: str) -> None:
        self._folder, self._depends_on = folder, hashlib.sha256(depends_on.encode()).hexdigest()[:16]

    def of(self, name: str, kind: type[PartT], make: Callable[[], list[PartT]]) -> list[PartT]:
        """The kept part, or a new one."""
        path = self._folder / f"{name}.json"
        kept: Any = json.loads(path.read_text("utf-8")) if path.is_file() else {}
        if kept.get("depends_on") == self._depends_on:
            return [kind.model_validate(one) for one in kept["found"]]
        found = make()
        page = {"depends_on": self._depends_on, "found": [one.model_dump() for one in found]}
        part = path.with_name(f"{path.name}.part")
        part.write_text(json.dumps(page) + "\n", encoding="utf-8")
        os.replace(part, path)
        return found


def _tell_groups(notes: SiteNotes, fewest: int) -> None:
    for dimension, of in counted(notes.notes).items():
        shown = (f"{name} {count if count >= fewest else f'<{fewest}'}" for name, count in sorted(of.items()))
        print(f"{dimension:10} patients: {', '.join(shown)}")
    print("dry run: nothing read by a model, nothing written")


def _tell(report: SiteReport, out: Path) -> None:
    ours = report.ours.figures
    print(f"right within three {share(ours.top3)}, first {percent(ours.top1.value)}, no card {percent(ours.silent.value)},"
          f" calibration error of the leading {ours.leading_calibration_error:.3f}")  # fmt: skip
    if report.shipped:
        print(f"beside {report.shipped.model}: within three {signed(report.differences['top3'])}")
    print(out / PAGE)


COMMAND = Command(
    "evaluate-site", "measure a model on a hospital's own prepared notes, beside the shipped one", _arguments, _run
)
