"""What users said of shown cards, from the feedback database or an NDJSON of its rows: one outcome per suggestion.

Input : rows of the tables `suggested_diagnosis` and `feedback`, each line `{"table": ..., <columns>}`
Output: Suggestion, with the last word on it; bad lines by file, line and a fixed word
Knows the columns that the service writes (cds_hooks.memory) and no comment: free words are not read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from training.site.prepared_folders import BadLine

SUGGESTED, REPORTED = "suggested_diagnosis", "feedback"
Outcome = Literal["accepted", "overridden", "silent"]
Key = tuple[str, str]


class Shown(BaseModel):
    """A diagnosis on a card."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    tenant: str
    card: str
    diagnosis: str
    patient: str
    """Keyed mark of the service, not of the prepared notes."""
    suggestion: str
    findings: tuple[str, ...]
    shown: datetime


class Reported(BaseModel):
    """A report about a card."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    tenant: str
    card: str
    outcome: Literal["accepted", "overridden"]
    outcome_timestamp: datetime
    received: datetime
    accepted_suggestions: tuple[str, ...]
    reason_code: str


KINDS: dict[str, type[Shown] | type[Reported]] = {SUGGESTED: Shown, REPORTED: Reported}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One diagnosis on one card with what came of it."""

    shown: Shown
    outcome: Outcome
    reason: str
    """Code of the override reason; empty where none was given."""


def read_feedback(source: str) -> tuple[list[Suggestion], list[BadLine]]:
    """source: an NDJSON file, or a database URL. Raises ValueError or FileNotFoundError, without the URL's password."""
    found: Iterable[Shown | Reported | BadLine] = _of_database(source) if "://" in source else _of_file(Path(source))
    rows = list(found)
    bad = [row for row in rows if isinstance(row, BadLine)]
    return outcomes(row for row in rows if not isinstance(row, BadLine)), bad


def outcomes(rows: Iterable[Shown | Reported]) -> list[Suggestion]:
    """Of several reports the last one counts; accepting one suggestion of a card says nothing of the others, overriding
    speaks of all. The same row twice is one."""
    shown: dict[tuple[str, str, str], Shown] = {}
    reports: dict[Key, list[Reported]] = {}
    for row in rows:
        if isinstance(row, Shown):
            shown[row.tenant, row.card, row.diagnosis] = row
        else:
            reports.setdefault((row.tenant, row.card), []).append(row)
    return [_judged(one, reports.get((one.tenant, one.card), [])) for one in shown.values()]


def _judged(one: Shown, reports: Iterable[Reported]) -> Suggestion:
    about = [r for r in reports if r.outcome == "overridden" or one.suggestion in r.accepted_suggestions]
    if not about:
        return Suggestion(one, "silent", "")
    last = max(
        about, key=lambda r: (min(max(_utc(r.outcome_timestamp), _utc(one.shown)), _utc(r.received)), _utc(r.received))
    )
    return Suggestion(one, last.outcome, last.reason_code if last.outcome == "overridden" else "")


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _of_file(path: Path) -> Iterator[Shown | Reported | BadLine]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield from _row(path.name, number, line)


def _row(name: str, number: int, line: bytes) -> Iterator[Shown | Reported | BadLine]:
    try:
        found: Any = json.loads(line)
    except ValueError:
        yield BadLine(name, number, "not-json")
        return
    table = found.get("table") if isinstance(found, dict) else None
    if not isinstance(table, str):
        yield BadLine(name, number, "no-table")
    elif table in KINDS:  # rows of other tables are nothing to us
        try:
            yield KINDS[table].model_validate(found)
        except ValidationError:
            yield BadLine(name, number, f"no-{table}")


def _of_database(url: str) -> Iterator[Shown | Reported]:
    """Read only; columns as the database has them."""
    from sqlalchemy import MetaData, Table, create_engine, select
    from sqlalchemy.exc import SQLAlchemyError

    try:
        engine = create_engine(url, hide_parameters=True)
        if engine.dialect.name == "sqlite" and not Path(str(engine.url.database)).is_file():
            raise FileNotFoundError(f"{engine.url.database}: no such database")  # SQLite would make an empty one
        with engine.connect() as connection:
            for name, kind in KINDS.items():
                table = Table(name, MetaData(), autoload_with=engine)
                for row in connection.execution_options(yield_per=1000).execute(select(table)).mappings():
                    yield kind.model_validate(dict(row))
    except SQLAlchemyError as error:
        raise ValueError(f"the feedback database cannot be read: {type(error).__name__}") from None
