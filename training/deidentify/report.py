"""The report of a run: what was found and left out, by kind; which lines were rejected, by file and line.

Knows counts, names of the output's files and rules; no identifier and no word of a patient ever gets here. The line is the
input's: in the file of the same name, or for `resources.<number>` in the export's file of that place (training.deidentify.output_names).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from training.deidentify.kinds import Kind
from training.deidentify.visit import Tally


@dataclass(slots=True)
class Report:
    """A whole run."""

    profile: str
    tally: Tally = field(default_factory=Tally)
    rejected: list[tuple[str, int, str]] = field(default_factory=list)
    """File as the output calls it, the input's line from 1, reason."""
    leaked: list[tuple[str, int, str]] = field(default_factory=list)
    """File as the output calls it, the input's line from 1, kind."""

    @property
    def resources(self) -> int:
        return sum(self.tally.resources.values())

    def add_part(self, file: str, done: dict[str, Any], first_line: int) -> None:
        """`file`: as the output calls it; `first_line`: lines of the file before the part."""
        for name in ("found", "left_out", "resources"):
            getattr(self.tally, name).update(done[name])
        for name in ("texts", "text_bytes", "without_patient"):
            setattr(self.tally, name, getattr(self.tally, name) + done[name])
        self.rejected.extend((file, first_line + line, reason) for line, reason in done["rejected"])

    def json(self) -> bytes:
        """For machines."""
        return orjson.dumps(
            {
                "profile": self.profile,
                "resources": dict(sorted(self.tally.resources.items())),
                "identifiers": {kind.value: self.tally.found.get(kind.value, 0) for kind in Kind},
                "leftOut": dict(sorted(self.tally.left_out.items())),
                "texts": self.tally.texts,
                "textsOfNoPatientInTheExport": self.tally.without_patient,
                "rejected": [
                    {"file": file, "line": line, "reason": reason} for file, line, reason in sorted(self.rejected)
                ],
                "leaked": [{"file": file, "line": line, "kind": kind} for file, line, kind in sorted(self.leaked)],
            },
            option=orjson.OPT_INDENT_2,
        )

    def lines(self) -> Iterator[str]:
        """For people."""
        yield f"profile {self.profile}: {self.resources} resources, {self.tally.texts} texts, {len(self.rejected)} lines rejected"
        for kind in Kind:
            if count := self.tally.found.get(kind.value, 0):
                yield f"  {count:>9}  {kind.value}"
        if self.tally.without_patient:
            yield f"  {self.tally.without_patient} texts belong to no patient of the export: patterns alone were looked for"
        yield from _listed("rejected", self.rejected)
        yield from _listed("LEAKED", self.leaked)


def _listed(word: str, lines: Iterable[tuple[str, int, str]], most: int = 20) -> Iterator[str]:
    entries = sorted(lines)
    for file, line, reason in entries[:most]:
        yield f"  {word}: {file}:{line}: {reason}"
    if len(entries) > most:
        counts = Counter(reason for _, _, reason in entries)
        yield f"  {word}: {len(entries)} lines in all ({', '.join(f'{count} {reason}' for reason, count in counts.most_common())})"


def read_done(path: Path) -> dict[str, Any]:
    """What a part's last file says."""
    found: dict[str, Any] = orjson.loads(path.read_bytes())
    return found
