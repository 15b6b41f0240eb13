"""The whole way through the core: chart in, assessment out. Serving, evaluation, calibration and the demo all call this.

Joins reading (chart_reading), reasoning (diagnoses), calibration, evidence and next steps, and decides on silence.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from nlp_core.answers import Answer
from nlp_core.assertion import Assertion
from nlp_core.assessment import Assessment, Candidate, Language, Silence
from nlp_core.calibration import Calibration, band_of
from nlp_core.case_matcher import CaseMatcher
from nlp_core.chart import Chart
from nlp_core.chart_reading import ChartReader, ReadChart, without_future_dates
from nlp_core.device_faults import DeviceHealth
from nlp_core.diagnoses import Ranked, Reasoner
from nlp_core.evidence import evidence_of
from nlp_core.knowledge import Knowledge
from nlp_core.model_bundle import Bundle, composed_bundle_path
from nlp_core.newest_first import Dated
from nlp_core.next_steps import next_steps
from nlp_core.note import Note
from nlp_core.questions import Questions
from nlp_core.remembered_sentences import Remember
from nlp_core.second_reader import SecondReader
from nlp_core.share_tables import ShareTables
from nlp_core.stages import READ_SENTENCES, REASON, stage
from nlp_core.summary import Summariser

MOST_CANDIDATES = 10
READING_SHARE = 0.6
"""Of the time for an answer; the rest is for comparing its sentences with the question."""
OLD = timedelta(days=730)
"""A chart in which nothing is newer than this tells of no present illness."""
LEAST_FINDINGS = 2
"""Present findings below which there is nothing to reason about."""
LEAST_TRUST = 0.5
"""Probability below which a finding is more doubtful than not, and no reason to speak."""


class Reader:
    """Reads charts with one model bundle; built once per process, used from any thread."""

    def __init__(
        self,
        knowledge: Knowledge,
        charts: ChartReader,
        *,
        calibration: Calibration | None,
        model_version: str,
        shares: ShareTables | None = None,
        matcher: CaseMatcher | None = None,
        device: DeviceHealth | None = None,
    ) -> None:
        self.device = device or DeviceHealth()
        self.knowledge = knowledge
        self.model_version = model_version
        self._charts = charts
        self.reasoner = Reasoner(knowledge, shares, matcher)
        self._calibration = calibration
        self._summariser = Summariser(knowledge)
        self._questions = Questions(knowledge, charts.mentions, charts.sentences)

    @staticmethod
    def load(
        bundle_path: Path | None = None,
        *,
        threads: int = 0,
        calibrated: bool = True,
        second: SecondReader | None = None,
        names_alone: bool = False,
        remember: Remember | None = None,
    ) -> Reader:
        """Loads a composed bundle, by default the one set-up made.

        threads: for the encoder, 0 = as many as the machine has. calibrated: False gives raw probabilities. second:
        what reads after the names, instead of the bundle's own. names_alone: nothing does, no encoder is loaded.
        remember: see Bundle.second_reader.
        Raises BundleError when the bundle is missing or does not match its checksums.
        """
        bundle = Bundle.open(bundle_path or composed_bundle_path())
        knowledge = bundle.knowledge()
        device = DeviceHealth()
        if not names_alone:
            second = second or bundle.second_reader(threads=threads, health=device, remember=remember)
        charts = ChartReader(knowledge, second, bundle.lexicons(), bundle.spelling(), bundle.reading_trust())
        calibration = bundle.calibration() if calibrated else None
        if calibration and calibration.knowledge_version != knowledge.version:
            calibration = None  # fitted for other knowledge: its words would promise what nobody measured
        return Reader(
            knowledge,
            charts,
            calibration=calibration,
            model_version=bundle.model_version,
            shares=bundle.shares(),
            matcher=bundle.matcher(),
            device=device,
        )

    def assess(self, chart: Chart, *, deadline: float | None = None) -> Assessment:
        """What to make of a chart. deadline: `time.monotonic()` seconds after which no further note is begun.

        Raises ScoresNotFinite where the model's numbers are none; a note whose encoding fails so is read by names alone.
        """
        chart = without_future_dates(chart)
        with stage(READ_SENTENCES):
            read = self._charts.read(chart, deadline=deadline)
        with stage(REASON):
            return self.assess_read(chart, read)

    def assess_read(self, chart: Chart, read: ReadChart) -> Assessment:
        """As `assess`, of a chart that has been read already."""
        ranked = self.reasoner.rank(read.found, read.patient)
        candidates = self._candidates(ranked, read)
        dates = [note.date for note in chart.notes[: read.notes_read] if note.date]
        laboratory = [fact.date for fact in chart.facts if fact.kind == "laboratory" and fact.date]
        return Assessment(
            language=_language(read),
            candidates=candidates,
            next_steps=tuple(next_steps(_offered(ranked, candidates), read.found.observed, self.reasoner)),
            silence=self._silence(chart, read, candidates),
            silence_below=self._calibration.silence_below if self._calibration else 0.0,
            calibrated_on_site=bool(self._calibration and self._calibration.site_notes),
            notes_read=read.notes_read,
            notes_unread=read.notes_unread,
            partly_read=read.partly,
            summary=self._summariser.summarise(read, _unfit(chart, read)),
            newest_note=max(dates, default=None),
            oldest_note=min(dates, default=None),
            newest_laboratory=max(laboratory, default=None),
            model_version=self.model_version,
            knowledge_version=self.knowledge.version,
        )

    def answer(self, question: str, chart: Chart, *, deadline: float | None = None) -> Answer:
        """The words of the chart's notes, or of the knowledge, that answer `question`. deadline: as for `assess`.

        What time left unsearched is counted in the answer. Raises ScoresNotFinite where the model's numbers are none.
        """
        now = time.monotonic()
        until = None if deadline is None else now + READING_SHARE * (deadline - now)
        read = self._charts.read(chart, deadline=until)
        found = self._questions.answer(question, read, deadline=deadline)
        return found.model_copy(update={"model_version": self.model_version})

    def rank(self, chart: Chart) -> list[tuple[Ranked, float]]:
        """All diagnoses with calibrated probability, best first, no threshold and no evidence asked for."""
        return self.rank_read(self.read(chart))

    def read(self, chart: Chart) -> ReadChart:
        """What a chart says, before any reasoning."""
        return self._charts.read(chart)

    def rank_read(self, read: ReadChart) -> list[tuple[Ranked, float]]:
        """As `rank`, of a chart that has been read already."""
        ranked = self.reasoner.rank(read.found, read.patient)
        return list(zip(ranked, self._probabilities(ranked), strict=True))

    def _candidates(self, ranked: Sequence[Ranked], read: ReadChart) -> tuple[Candidate, ...]:
        """The best ten that have at least one finding for them: sentences as a whole alone suggest nothing."""
        candidates: list[Candidate] = []
        for entry, probability in zip(ranked, self._probabilities(ranked), strict=True):
            speaking_for, speaking_against = evidence_of(entry, read.found, self.knowledge)
            if not any(one.finding for one in speaking_for):
                continue
            ways = read.found.named.get(entry.diagnosis.id, {})
            candidates.append(
                Candidate(
                    diagnosis=entry.diagnosis.id,
                    names=entry.diagnosis.names.display,
                    icd10cm=entry.diagnosis.icd10cm,
                    probability=probability,
                    band=band_of(probability) if self._calibration else None,
                    urgency=entry.diagnosis.urgency,
                    cannot_miss=entry.diagnosis.cannot_miss,
                    named_in_chart=Assertion.PRESENT in ways or Assertion.PAST in ways,
                    problem_list=read.known.get(entry.diagnosis.id),
                    evidence_for=speaking_for,
                    evidence_against=speaking_against,
                )
            )
            if len(candidates) == MOST_CANDIDATES:
                break
        return tuple(candidates)

    def _probabilities(self, ranked: Sequence[Ranked]) -> list[float]:
        raw = [entry.probability for entry in ranked]
        return self._calibration.probabilities(raw) if self._calibration else raw

    def _silence(self, chart: Chart, read: ReadChart, candidates: Sequence[Candidate]) -> Silence | None:
        unfit = _unfit(chart, read)
        if unfit:
            return unfit
        observed = read.found.observed.items()
        present = [finding for finding, one in observed if one.present and one.trust >= LEAST_TRUST]
        weak = self._weakness(present, candidates)
        # What was not read may have held what is missing: that must not look like a chart without it.
        return "partly_read" if weak and (read.partly or read.notes_unread) else weak

    def _weakness(self, present: Sequence[str], candidates: Sequence[Candidate]) -> Silence | None:
        """Why the evidence is too poor to be shown."""
        if not present or not candidates:
            return "no_finding"
        if len(present) < LEAST_FINDINGS:
            return "weak_evidence"
        if self._calibration and candidates[0].probability < self._calibration.silence_below:
            return "weak_evidence"
        return None


def _unfit(chart: Chart, read: ReadChart) -> Silence | None:
    """Why nothing is to be said of this chart, whatever it holds."""
    if chart.deceased:
        return "deceased"
    if not chart.notes:
        return "no_note"
    if read.language == "other":
        return "unsupported_language"
    if read.distrust is not None:
        return read.distrust
    if not any(note.text.strip(" \n\t.。") for note in chart.notes):
        return "too_little_text"
    return "old_notes" if _is_old(chart) else None


def _is_old(chart: Chart) -> bool:
    """Is all that the chart says of long ago? What is undated may be of today."""
    entries: Sequence[Dated] = (*chart.notes, *chart.facts)
    dates = [entry.date for entry in entries]
    return None not in dates and all(chart.as_of - date > OLD for date in dates if date)


def _offered(ranked: Sequence[Ranked], candidates: Sequence[Candidate]) -> list[Ranked]:
    shown = {candidate.diagnosis for candidate in candidates}
    return [entry for entry in ranked[: 5 * MOST_CANDIDATES] if entry.diagnosis.id in shown]


def _language(read: ReadChart) -> Language:
    return "zh" if read.language == "zh" else "en"


@lru_cache(maxsize=1)
def _default_reader() -> Reader:
    return Reader.load()


def diagnose(text: str) -> list[tuple[str, str, float]]:
    """Reads one free text with the shipped model, by the same way as serving but without the silence threshold.

    Returns (name, ICD-10-CM code, probability), best first, at least ten.
    """
    note = Note(reference="DocumentReference/text", text=text)
    chart = Chart(as_of=datetime.now(UTC), notes=(note,))
    return [
        (ranked.diagnosis.names.en[0], ranked.diagnosis.icd10cm, probability)
        for ranked, probability in _default_reader().rank(chart)
    ][: 5 * MOST_CANDIDATES]
