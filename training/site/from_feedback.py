"""`dxspan-train from-feedback`: what users said of cards as counts and a review list; the reviewed list as examples.

Knows the two runs. First: feedback, marks and prepared notes to report.json, review.csv and review.html. Then, with the list
filled in (`--reviewed`): a prepared folder that `fit --with` takes. Nothing is learned that no person has confirmed.
"""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from pathlib import Path

from nlp_core.knowledge import Knowledge
from nlp_core.knowledge_files import read_knowledge
from nlp_core.mentions import MentionReader
from training.command import Command
from training.site.feedback_counts import FeedbackReport, feedback_report
from training.site.feedback_marks import joined_marks, read_keys
from training.site.feedback_rows import read_feedback
from training.site.prepared_folders import BadLine, site_of, write_bad_lines
from training.site.review_list import CSV, PAGE, ReviewList, review_list, write_review
from training.site.reviewed_notes import Reviewer, read_decisions, write_reviewed
from training.site.site_page import share

URL = "DXSPAN_FEEDBACK_DATABASE_URL"
REPORT, BAD_ROWS = "feedback-report.json", "bad-rows.tsv"
_KEYS = ("patients", "feedback_key", "tenant", "fhir_server", "split_key")


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--feedback", help=f"NDJSON of the store's rows, or a database URL (default: {URL})")
    parser.add_argument(
        "--prepared", metavar="FOLDER", help="folder of `dxspan-train prepare`, to join cards with notes"
    )
    parser.add_argument("--patients", type=Path, help="file of patient ids as hooks name them, one a line")
    parser.add_argument("--feedback-key", type=Path, help="file with the value of DXSPAN_FEEDBACK_KEY")
    parser.add_argument("--tenant", help="the tenant whose cards they are")
    parser.add_argument("--fhir-server", help="fhirServer as hooks name it")
    parser.add_argument("--split-key", type=Path, help="key that `prepare` split patients with")
    parser.add_argument("--deidentify-key", type=Path, help="key of `deidentify`, where the export went through it")
    parser.add_argument("--reviewed", type=Path, help="the filled-in review.csv: writes examples instead")
    parser.add_argument(
        "--fewest", type=int, default=20, help="patients below which no count is told (default: %(default)s)"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for what is written")
    parser.add_argument("--dry-run", action="store_true", help="count, write nothing")


def _run(options: Namespace) -> int:
    if options.reviewed:
        return _examples(options)
    source = options.feedback or os.environ.get(URL)
    if not source:
        raise ValueError(f"no feedback: give --feedback, or set {URL}")
    marks = _marks(options)
    suggestions, bad = read_feedback(source)
    report = feedback_report(suggestions, options.fewest)
    listed = None
    if marks is not None:
        listed = review_list(suggestions, marks, site_of(options.prepared), _knowledge())
        report = report.model_copy(update={"left": dict(sorted(listed.left.items())), "review": len(listed.rows)})
        bad += listed.bad
    _tell(report, bad)
    if not options.dry_run:
        _write(options.out, report, listed, bad)
    return 1 if bad else 0


def _write(out: Path, report: FeedbackReport, listed: ReviewList | None, bad: list[BadLine]) -> None:
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_bad_lines(out / BAD_ROWS, bad)
    (out / REPORT).write_text(report.model_dump_json(indent=1) + "\n", encoding="utf-8")
    if listed is not None:
        write_review(out, listed)
        print(f"fill in {out / CSV}; {out / PAGE} shows the sentences")


def _marks(options: Namespace) -> dict[str, str] | None:
    """None where no prepared notes are given: then feedback is counted and nothing is joined."""
    if not options.prepared:
        return None
    missing = [f"--{name.replace('_', '-')}" for name in _KEYS if getattr(options, name) is None]
    if missing:
        raise ValueError(f"to join cards with prepared notes give {', '.join(missing)} too")
    keys = read_keys(
        options.feedback_key, options.tenant, options.fhir_server, options.split_key, options.deidentify_key
    )
    patients = options.patients.read_text("utf-8-sig").split("\n")
    return joined_marks(keys, (patient.strip() for patient in patients if patient.strip()))


def _examples(options: Namespace) -> int:
    if not options.prepared:
        raise ValueError("--reviewed needs --prepared: the decisions are put into its notes")
    site = site_of(options.prepared)
    if site.folder.resolve() == options.out.resolve():
        raise ValueError("--prepared and --out are the same folder")
    knowledge = _knowledge()
    decisions = read_decisions(options.reviewed, knowledge)
    print(", ".join(f"{name} {count}" for name, count in sorted(decisions.counts.items())) or "no decision")
    if not options.dry_run:
        options.out.mkdir(mode=0o700, parents=True, exist_ok=True)
        done = write_reviewed(options.out, site, decisions, Reviewer(knowledge, MentionReader(knowledge)))
        write_bad_lines(options.out / BAD_ROWS, decisions.bad)
        print(", ".join(f"{name} {count}" for name, count in sorted(done.items())))
        print(f"dxspan-train fit --with {options.out}")
    for one in decisions.bad:
        print(f"{one.file}, line {one.line}: {one.why}")
    return 1 if decisions.bad else 0


def _knowledge() -> Knowledge:
    return read_knowledge()


def _tell(report: FeedbackReport, bad: list[BadLine]) -> None:
    def said(counts: dict[str, int | None]) -> str:
        return ", ".join(f"{name} {'too few' if count is None else count}" for name, count in counts.items()) or "-"

    print(f"{report.suggestions} suggestions shown: {said(report.outcomes)}; {len(bad)} unreadable lines")
    print(f"overridden for: {said(report.reasons)}")
    for one in report.diagnoses:
        print(f"{one.diagnosis}: accepted {one.accepted} of {one.shown}, {share(one.acceptance)}")
    print(f"diagnoses shown to fewer than {report.fewest} patients, not told: {report.untold}")
    if report.left or report.review:
        left = ", ".join(f"{name} {count}" for name, count in report.left.items())
        print(f"to review: {report.review}; not: {left or '-'}")


COMMAND = Command(
    "from-feedback", "what users said of cards as a review list, and the reviewed list as examples", _arguments, _run
)
