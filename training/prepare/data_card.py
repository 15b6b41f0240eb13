"""The data card: what a prepared set is, for whoever trains on it or is asked about it later.

Knows counts and options. Counts below FEWEST are not told: in a small hospital three patients with a rare disease are persons.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from nlp_core.knowledge import Knowledge
from training.prepare.prepared_note import SPLITS
from training.prepare.quality import Quality

FEWEST = 5


def data_card(
    quality: Quality, knowledge: Knowledge, *, made_by: str, sources: Mapping[str, int], bad_rows: int, identified: bool
) -> str:
    """Markdown. sources: resources by kind. made_by: the command line. identified: patients may still be named."""
    return "\n".join(_lines(quality, knowledge, made_by, sources, bad_rows, identified)) + "\n"


def _lines(
    quality: Quality, knowledge: Knowledge, made_by: str, sources: Mapping[str, int], bad_rows: int, identified: bool
) -> Iterator[str]:
    counts = quality.counts
    yield "# Data card"
    yield ""
    yield f"Written by `{made_by}`; knowledge {knowledge.version}. Counts below {FEWEST} are shown as `<{FEWEST}`."
    if identified:
        yield ""
        yield "**Not de-identified: patients may be named in these files.** Keep them where the chart may be kept."
    yield ""
    yield "## What it is"
    yield ""
    yield "Clinical notes with the diagnoses that were coded of them, mapped to the knowledge's. Words that name a note's own"
    yield "diagnoses are blotted out. Findings are weak labels: what the knowledge's reader sees, not what a person marked."
    yield ""
    yield from _table(("split", "patients", "notes"), (
        (split, _told(counts[f"patients/{split}"]), _told(counts[f"split/{split}"])) for split in SPLITS
    ))  # fmt: skip
    yield ""
    yield f"- notes with at least one coded diagnosis: {_told(counts['labelled'])}; without: {_told(counts['without-codes'])}"
    yield f"- joined by {_said(quality, 'joined')}; mapped by {_said(quality, 'via')}"
    yield f"- notes in which a diagnosis was named and blotted out: {_told(counts['blotted-notes'])}"
    yield f"- sentences: {counts['sentences']:,}, of which telling: {counts['telling-sentences']:,}; weak spans: {counts['spans']:,}"
    yield f"- languages: {_said(quality, 'language')}; sex: {_said(quality, 'sex')}; age: {_said(quality, 'age')}"
    yield f"- characters: {_said(quality, 'length')}"
    yield f"- copied forward from an earlier note of the same patient: {quality.copied_share():.1%} of all characters"
    yield ""
    yield "## What was left out"
    yield ""
    yield from _table(("documents", "count"), ((reason, _told(count)) for reason, count in quality.under("left")))
    yield ""
    yield "Conditions that mean a diagnosis of the knowledge: " + (_said(quality, "conditions") or "none") + "."
    yield f"Rows that could not be read or placed: {bad_rows:,} (bad-rows.tsv names file, line and reason)."
    yield ""
    yield "Read from: " + ", ".join(f"{count:,} {kind}" for kind, count in sorted(sources.items())) + "."
    yield ""
    yield "## Diagnoses"
    yield ""
    yield from _table(("diagnosis", "ICD-10-CM", *SPLITS), _classes(quality, knowledge))
    yield ""
    yield "## Limits"
    yield ""
    yield "- A code says what was billed or listed, not what is true; a note without codes may still tell of a disease."
    yield "- Paraphrases of a diagnosis are not blotted out, and treatment may give it away."
    yield "- Codes that mean no diagnosis of the knowledge are not here; what is frequent here is frequent in this hospital."
    yield "- The test split is for measuring alone; patients stay in their split as long as the same key is used."


def _classes(quality: Quality, knowledge: Knowledge) -> Iterator[tuple[str, ...]]:
    classes = quality.classes()
    for diagnosis in sorted(classes, key=lambda one: (-sum(classes[one].values()), one)):
        known = knowledge.diagnoses[diagnosis]
        yield known.names.en[0], known.icd10cm, *(_told(classes[diagnosis].get(split, 0)) for split in SPLITS)


def _told(count: int) -> str:
    return f"<{FEWEST}" if 0 < count < FEWEST else f"{count:,}"


def _said(quality: Quality, what: str) -> str:
    return ", ".join(f"{which} {_told(count)}" for which, count in quality.under(what))


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    head = list(head)
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
