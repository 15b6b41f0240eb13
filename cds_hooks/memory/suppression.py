"""Which diagnoses are not shown again, for what reason, and until when.

Input: ranked candidates and what is recalled of the patient's suggestions. Output: those to show and, when none is
left, the word that says why. Knows no database and no clock. The rules, for the same tenant and patient:

    overridden                          hidden for `override_days`
      cds-not-applicable, or evidence
      or patient speak against it       hidden without limit of time
      either                            back as soon as the evidence changes materially: a finding speaks for the
                                        diagnosis that did not when it was shown
      limited-time, wrong-time-workflow back at the next encounter
    accepted                            hidden until it has been on the problem list and has left it; where it never
                                        got there, for `accepted_days`
    shown                               not again to the same user in the same encounter while nothing on the card is
                                        new; the same call repeated keeps its card
    muted                               not shown to this tenant (acceptance)

A diagnosis dismissed or accepted in this encounter keeps its place on the card until the next one: dismissing a card
must not bring up the next three in rank.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from cds_hooks.memory.suggestion_memory import Recalled, Report, Showing, finding_key
from nlp_core.assessment import Candidate

Hiding = Literal["dismissed", "accepted", "already-shown", "muted"]
UNTIL_EVIDENCE_CHANGES = frozenset({"cds-not-applicable", "recipient-disagrees-evidence", "patient-contraindication"})
"""Reasons that speak of the patient, not of the moment: time does not make them untrue."""
UNTIL_NEXT_ENCOUNTER = frozenset({"limited-time", "wrong-time-workflow"})


@dataclass(frozen=True, slots=True)
class Choice:
    """The candidates to show, and why the first of the others is not shown."""

    shown: tuple[Candidate, ...]
    hiding: Hiding | None = None


@dataclass(frozen=True, slots=True)
class Suppression:
    """The rules with their times."""

    override_days: int = 90
    accepted_days: int = 90
    encounter_hours: int = 12
    """Where a call names no encounter, showings of this many hours count as one."""

    def choose(
        self, candidates: Sequence[Candidate], recalled: Recalled, *, most: int, now: datetime, list_readable: bool
    ) -> Choice:
        """The first `most` of `candidates` that may be shown. `list_readable`: the problem list could be read."""
        shown: list[Candidate] = []
        hidings: list[Hiding] = []
        for candidate in candidates:
            if len(shown) >= most:
                break
            if candidate.diagnosis in recalled.muted:
                hidings.append("muted")
                continue
            hiding, showing = self._hidden(candidate, recalled, now, list_readable)
            if hiding and showing:
                hidings.append(hiding)
                most -= self._same_encounter(showing, now)
            else:
                shown.append(candidate)
        return Choice(tuple(shown), hidings[0] if hidings else None)

    def shown_already(self, hashes: dict[str, str], card: str, recalled: Recalled, now: datetime) -> bool:
        """Has this user seen, in this encounter, all that the card would say? `hashes`: diagnosis -> evidence hash."""
        seen = {
            (showing.diagnosis, showing.evidence)
            for showing in recalled.showings
            if showing.same_user and showing.card != card and self._same_encounter(showing, now)
        }
        return bool(hashes) and all(pair in seen for pair in hashes.items())

    def _hidden(
        self, candidate: Candidate, recalled: Recalled, now: datetime, list_readable: bool
    ) -> tuple[Hiding | None, Showing | None]:
        for showing, report in _reported(recalled, candidate.diagnosis):
            if report.outcome == "accepted":
                if self._still_accepted(candidate, showing, report, now, list_readable):
                    return "accepted", showing
            elif not changed_materially(candidate, showing) and self._still_overridden(showing, report, now):
                return "dismissed", showing
        return None, None

    def _still_overridden(self, showing: Showing, report: Report, now: datetime) -> bool:
        if report.reason in UNTIL_NEXT_ENCOUNTER:
            return self._same_encounter(showing, now)
        return report.reason in UNTIL_EVIDENCE_CHANGES or now - report.at < timedelta(days=self.override_days)

    def _still_accepted(
        self, candidate: Candidate, showing: Showing, report: Report, now: datetime, list_readable: bool
    ) -> bool:
        """What is on the list never comes this far: here it is either not written yet, or it has left the list."""
        been_there = candidate.problem_list == "past" or (showing.listed is not None and showing.listed >= report.at)
        if been_there and list_readable:
            return False
        return now - report.at < timedelta(days=self.accepted_days)

    def _same_encounter(self, showing: Showing, now: datetime) -> bool:
        if showing.same_encounter is None:
            return now - showing.shown < timedelta(hours=self.encounter_hours)
        return showing.same_encounter


def changed_materially(candidate: Candidate, showing: Showing) -> bool:
    """A finding speaks for the diagnosis now that did not then.

    A sentence as a whole (no finding) does not count; neither does a finding so weak that it may have been left out
    then for want of room.
    """
    return any(
        evidence.finding
        and round(evidence.share, 3) > showing.floor
        and finding_key(evidence.finding, present=evidence.present) not in showing.findings
        for evidence in candidate.evidence_for
    )


def newly_listed(candidates: Sequence[Candidate], recalled: Recalled) -> tuple[str, ...]:
    """Diagnoses that were accepted and are now seen on the problem list for the first time since."""
    return tuple(
        candidate.diagnosis
        for candidate in candidates
        if candidate.problem_list in ("active", "past")
        and any(
            report.outcome == "accepted" and not (showing.listed and showing.listed >= report.at)
            for showing, report in _reported(recalled, candidate.diagnosis)
        )
    )


def _reported(recalled: Recalled, diagnosis: str) -> Iterator[tuple[Showing, Report]]:
    for showing in recalled.showings:
        if showing.diagnosis == diagnosis and showing.report:
            yield showing, showing.report
