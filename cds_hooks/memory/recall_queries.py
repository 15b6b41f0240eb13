"""The questions put to the feedback database, and how the answers are read.

Knows tables and their columns; not how a database is reached (feedback_store), nor what follows (suppression).
Another tenant's rows never match: every condition names the tenant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, Select, String, and_, bindparam, case, exists, func, or_, select

from cds_hooks.memory.feedback_tables import ListedProblem, ReportedOutcome, ShownCard, SuggestedDiagnosis
from cds_hooks.memory.patient_marks import OccasionMarks
from cds_hooks.memory.suggestion_memory import Report, Showing

MOST_ROWS = 5000
"""Read for one patient, newest showings first: far more than anyone clicks, and the end of what may be read."""

_ABOUT_THE_CARD = and_(
    ReportedOutcome.tenant == SuggestedDiagnosis.tenant, ReportedOutcome.card == SuggestedDiagnosis.card
)


SHOWINGS: Select[*tuple[Any, ...]] = (
    select(
        SuggestedDiagnosis.diagnosis,
        SuggestedDiagnosis.card,
        SuggestedDiagnosis.shown,
        SuggestedDiagnosis.user,
        SuggestedDiagnosis.encounter,
        SuggestedDiagnosis.suggestion,
        SuggestedDiagnosis.evidence,
        SuggestedDiagnosis.findings,
        SuggestedDiagnosis.floor,
        ReportedOutcome.outcome,
        ReportedOutcome.reason_code,
        ReportedOutcome.outcome_timestamp,
        ReportedOutcome.received,
        ReportedOutcome.accepted_suggestions,
    )
    .join(ReportedOutcome, _ABOUT_THE_CARD, isouter=True)
    .where(
        SuggestedDiagnosis.tenant == bindparam("tenant"),
        SuggestedDiagnosis.patient == bindparam("patient"),
        or_(ReportedOutcome.card.is_not(None), SuggestedDiagnosis.user == bindparam("user")),
    )
    .order_by(SuggestedDiagnosis.shown.desc())
    .limit(MOST_ROWS)
)
"""Of one patient: diagnoses with each report about their card, and those shown to this user without a report.

Asked for each chart that is opened: building the statement each time took eight times as long as asking it."""

LISTED: Select[*tuple[Any, ...]] = (
    select(ListedProblem.diagnosis, func.max(ListedProblem.seen, type_=ListedProblem.seen.type).label("seen"))
    .where(ListedProblem.tenant == bindparam("tenant"), ListedProblem.patient == bindparam("patient"))
    .group_by(ListedProblem.diagnosis)
)
"""(diagnosis, when it was last seen on the problem list) of one patient."""


def acceptance_query(since: datetime) -> Select[*tuple[Any, ...]]:
    """(tenant, diagnosis, cards that showed it, cards on which it was accepted, cards that were overridden)."""
    accepted = and_(
        ReportedOutcome.outcome == "accepted",
        SuggestedDiagnosis.suggestion != "",
        ReportedOutcome.accepted_suggestions.cast(String).contains(SuggestedDiagnosis.suggestion),
    )
    return (
        select(
            SuggestedDiagnosis.tenant,
            SuggestedDiagnosis.diagnosis,
            _cards(SuggestedDiagnosis.card),
            _cards(case((accepted, SuggestedDiagnosis.card))),
            _cards(case((ReportedOutcome.outcome == "overridden", SuggestedDiagnosis.card))),
        )
        .join(ReportedOutcome, _ABOUT_THE_CARD, isouter=True)
        .where(SuggestedDiagnosis.shown >= since)
        .group_by(SuggestedDiagnosis.tenant, SuggestedDiagnosis.diagnosis)
    )


def unknown_cards_query(since: datetime) -> Select[*tuple[Any, ...]]:
    """How many reports received since then are about cards that their tenant was never shown."""
    shown = exists().where(ShownCard.tenant == ReportedOutcome.tenant, ShownCard.card == ReportedOutcome.card)
    return select(func.count()).select_from(ReportedOutcome).where(ReportedOutcome.received >= since, ~shown)


def _cards(column: Any) -> Any:
    return func.count(column.distinct())


def remembered(found: Sequence[Row[Any]], listed: Mapping[str, datetime], marks: OccasionMarks) -> tuple[Showing, ...]:
    """The showings in the rows of `showings_query`, each with the last word about it."""
    last: dict[tuple[str, str], tuple[Row[Any], Report | None]] = {}
    for row in found:
        key, report = (row.card, row.diagnosis), _report(row)
        if key not in last or (report and _is_later(row, report, *last[key])):
            last[key] = row, report
    return tuple(_showing(row, report, listed.get(row.diagnosis), marks) for row, report in last.values())


def _is_later(row: Row[Any], report: Report, other: Row[Any], other_report: Report | None) -> bool:
    """Clients may tell time to the second: of two reports of one second the one that came later is the later one."""
    return other_report is None or (report.at, _utc(row.received)) > (other_report.at, _utc(other.received))


def _showing(row: Row[Any], report: Report | None, listed: datetime | None, marks: OccasionMarks) -> Showing:
    both_named = bool(row.encounter and marks.encounter)
    return Showing(
        diagnosis=row.diagnosis,
        card=row.card,
        shown=_utc(row.shown),
        evidence=row.evidence,
        findings=frozenset(row.findings),
        floor=row.floor,
        same_user=row.user == marks.user,
        same_encounter=row.encounter == marks.encounter if both_named else None,
        report=report,
        listed=_utc(listed) if listed else None,
    )


def _report(row: Row[Any]) -> Report | None:
    """What was said of the row's diagnosis; accepting another suggestion of the card says nothing of it."""
    if row.outcome is None or (row.outcome == "accepted" and row.suggestion not in row.accepted_suggestions):
        return None
    # A client's clock may be wrong in either direction: nothing is reported before it is shown or after it arrives.
    received = _utc(row.received)
    at = min(max(_utc(row.outcome_timestamp), _utc(row.shown)), received)
    return Report(row.outcome, row.reason_code, at)


def _utc(moment: datetime) -> datetime:
    """SQLite gives times back without a zone; they were written in UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
