"""What models in the shadow would have shown, laid beside what was shown: by tenant and model version.

Input: the compared answers of a time. Output: counts for each model, and how far two models agree on the charts that
both have read. An answer that was silent for what users said before (dismissed, already shown, ...) says nothing of its
model and is left out of the agreement. Knows no chart: charts are marks.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, get_args

from sqlalchemy import Engine, select

from cds_hooks.build_cards import MOST_SHOWN
from cds_hooks.memory.feedback_tables import ComparedAnswer
from cds_hooks.memory.suppression import Hiding

_OF_MEMORY = frozenset(get_args(Hiding))


class Model(NamedTuple):
    """A model version, as a tenant saw it or did not."""

    seen: str
    """`shown` or `shadow`."""
    version: str


class Answered(NamedTuple):
    """One compared answer."""

    tenant: str
    chart: str
    model: Model
    reason: str
    diagnoses: tuple[str, ...]


@dataclass
class Agreement:
    """Of two models on the charts that both have read."""

    charts: int = 0
    both_silent: int = 0
    silent_in_shadow_alone: int = 0
    silent_where_shown_alone: int = 0
    same_leading: int = 0
    """Of the charts where both named diagnoses."""
    leading_among_top: int = 0
    """The leading diagnosis shown is among the shadow's top three."""
    same_top: int = 0
    """The same top three, in whatever order."""

    @property
    def both_named(self) -> int:
        return self.charts - self.both_silent - self.silent_in_shadow_alone - self.silent_where_shown_alone

    def count(self, shown: tuple[str, ...], shadow: tuple[str, ...]) -> None:
        """One chart more: what was shown, and what would have been."""
        self.charts += 1
        if not shown or not shadow:
            self.both_silent += not shown and not shadow
            self.silent_in_shadow_alone += bool(shown)
            self.silent_where_shown_alone += bool(shadow)
            return
        self.same_leading += shown[0] == shadow[0]
        self.leading_among_top += shown[0] in shadow[:MOST_SHOWN]
        self.same_top += set(shown[:MOST_SHOWN]) == set(shadow[:MOST_SHOWN])


@dataclass
class OfTenant:
    """All that was kept of one tenant."""

    answers: Counter[Model] = field(default_factory=Counter)
    named: Counter[Model] = field(default_factory=Counter)
    """Answers that named a diagnosis."""
    leading: dict[Model, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """How often each diagnosis led."""
    agreements: dict[tuple[Model, Model], Agreement] = field(default_factory=dict)
    """(shown, shadow) -> their agreement."""


def kept_answers(engine: Engine, *, since: datetime, tenant: str | None = None) -> Iterator[Answered]:
    """The compared answers since then, oldest first. Raises SQLAlchemyError when the database cannot be read."""
    row = ComparedAnswer
    asked = select(row.tenant, row.chart, row.seen, row.model_version, row.reason, row.diagnoses)
    asked = asked.where(row.answered >= since).order_by(row.answered)
    with engine.connect() as connection:
        for found in connection.execute(asked.where(row.tenant == tenant) if tenant else asked):
            model = Model(found.seen, found.model_version)
            yield Answered(found.tenant, found.chart, model, found.reason, tuple(found.diagnoses))


def compared(answers: Iterable[Answered]) -> dict[str, OfTenant]:
    """By tenant. `answers`: oldest first; of several by one model about one chart the last counts for agreement."""
    tenants: dict[str, OfTenant] = defaultdict(OfTenant)
    last: dict[tuple[str, str], dict[Model, tuple[str, ...]]] = defaultdict(dict)
    for one in answers:
        of = tenants[one.tenant]
        of.answers[one.model] += 1
        if one.diagnoses:
            of.named[one.model] += 1
            of.leading[one.model][one.diagnoses[0]] += 1
        if one.reason not in _OF_MEMORY:
            last[one.tenant, one.chart][one.model] = one.diagnoses
    for (tenant, _), by_model in last.items():
        _count(tenants[tenant], by_model)
    return dict(tenants)


def _count(of: OfTenant, by_model: dict[Model, tuple[str, ...]]) -> None:
    for shown, shown_diagnoses in by_model.items():
        for shadow, shadow_diagnoses in by_model.items():
            if (shown.seen, shadow.seen) == ("shown", "shadow"):
                of.agreements.setdefault((shown, shadow), Agreement()).count(shown_diagnoses, shadow_diagnoses)


def told(tenants: dict[str, OfTenant]) -> Iterator[str]:
    """Lines for a reader."""
    if not tenants:
        yield "no answers were kept in this time"
    for tenant, of in sorted(tenants.items()):
        yield f"tenant {tenant}"
        for model in sorted(of.answers, reverse=True):  # shown before shadow
            leading = ", ".join(f"{name} {count}" for name, count in of.leading[model].most_common(5))
            yield f"  {model.seen} {model.version}: {of.answers[model]} answers, {of.named[model]} named diagnoses"
            if leading:
                yield f"    leading most often: {leading}"
        if not of.agreements:
            yield "  no chart was read by a model in the shadow and by one that was shown"
        for (shown, shadow), agreement in sorted(of.agreements.items()):
            yield f"  {shadow.version} in the shadow beside {shown.version}"
            yield from (f"    {line}" for line in _agreement(agreement))


def _agreement(of: Agreement) -> Iterator[str]:
    named = of.both_named
    yield f"charts read by both: {of.charts}"
    yield f"both silent: {_share(of.both_silent, of.charts)}"
    yield f"silent in the shadow alone: {_share(of.silent_in_shadow_alone, of.charts)}"
    yield f"silent where shown alone: {_share(of.silent_where_shown_alone, of.charts)}"
    yield f"both named diagnoses: {_share(named, of.charts)}"
    yield f"the same leading diagnosis: {_share(of.same_leading, named)}"
    yield f"the leading one shown is among the shadow's top three: {_share(of.leading_among_top, named)}"
    yield f"the same top three: {_share(of.same_top, named)}"


def _share(count: int, of: int) -> str:
    return f"{count} of {of} ({count / of:.1%})" if of else "0 of 0"
