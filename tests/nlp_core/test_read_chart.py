"""A chart told for a later moment is the chart that would be read then, or none."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from nlp_core.chart import Chart
from nlp_core.fhir_notes import select_chart
from nlp_core.read_chart import ReadChart

AS_OF = datetime(2026, 6, 1, 22, 30, tzinfo=UTC)
HOURS = st.integers(min_value=-24 * 70, max_value=24 * 5)


def read(resources: list[dict[str, Any]], as_of: datetime = AS_OF) -> ReadChart:
    return select_chart(resources, patient_id="p1", as_of=as_of).read({}, max_notes=3, max_facts=3)


def resource(kind: str, number: int, **fields: Any) -> dict[str, Any]:
    return {"resourceType": kind, "id": f"{kind}-{number}", "subject": {"reference": "Patient/p1"}, **fields}


def document(number: int, date: str) -> dict[str, Any]:
    data = base64.b64encode(f"Cough, note {number}.".encode()).decode()
    return resource("DocumentReference", number, date=date, content=[{"attachment": {"data": data}}])


def patient(birth_date: str) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": "p1", "gender": "male", "birthDate": birth_date}


def moment(hours: int) -> str:
    return (AS_OF + timedelta(hours=hours)).isoformat()


def dated(kind: str, number: int, begun: int, lasting: int | None) -> dict[str, Any]:
    if kind == "DocumentReference":
        return document(number, moment(begun))
    if kind == "Condition":
        return resource(kind, number, code={"text": f"problem {number}"}, recordedDate=moment(begun))
    if kind == "Observation":
        return resource(kind, number, code={"text": "K"}, valueInteger=number, effectiveDateTime=moment(begun))
    ended = {} if lasting is None else {"end": moment(begun + lasting)}
    code = ("AMB", "EMER", "IMP")[number % 3]
    return resource(kind, number, period={"start": moment(begun), **ended}, **{"class": {"code": code}})


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["DocumentReference", "Condition", "Observation", "Encounter"]),
            HOURS,
            st.one_of(st.none(), st.integers(min_value=0, max_value=72)),
        ),
        max_size=8,
    ),
    st.sampled_from(["2026-06-02", "2026-06-01", "2020-06", "1980", ""]),
    st.integers(min_value=-3, max_value=24 * 4),
)
def test_told_later_is_read_later(things: list[tuple[str, int, int | None]], born: str, later: int) -> None:
    chart = [patient(born), *(dated(kind, n, begun, lasting) for n, (kind, begun, lasting) in enumerate(things))]
    then = AS_OF + timedelta(hours=later)
    told = read(chart).at(then)
    assert told is None or told == read(chart, then).chart
    if later >= 0 and all(begun <= 24 for _, begun, _ in things):
        assert told is not None, "nothing lies in the future: no reason to read again"


def test_an_earlier_moment_is_read_anew() -> None:
    assert read([document(1, moment(-1))]).at(AS_OF - timedelta(seconds=1)) is None


def test_the_age_goes_on_at_midnight_and_the_order_where_a_date_is_no_longer_ahead() -> None:
    found = read([patient("2026-05-31"), document(1, moment(-1)), document(2, moment(48))])
    at_noon = found.at(AS_OF + timedelta(hours=13))
    assert at_noon
    assert (found.chart.age_years, at_noon.age_years) == (1 / 365.25, 2 / 365.25)
    assert texts(at_noon) == ["Cough, note 1.", "Cough, note 2."]
    assert found.at(AS_OF + timedelta(hours=24)) is None
    assert texts(read([document(1, moment(-1)), document(2, moment(48))], AS_OF + timedelta(hours=24)).chart) == [
        "Cough, note 2.",
        "Cough, note 1.",
    ]


def test_nothing_that_names_the_patient_is_held() -> None:
    named = patient("1980-01-01") | {"name": [{"family": "Canary-Name"}], "identifier": [{"value": "Canary-Id"}]}
    visit = dated("Encounter", 1, -2, None) | {"participant": [{"individual": {"display": "Canary-Doctor"}}]}
    assert "Canary" not in repr(read([named, visit, document(1, moment(-1))]))


def texts(chart: Chart) -> list[str]:
    return [note.text for note in chart.notes]
