"""Dates as charts write them become moments with a zone; what names no date is None."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp_core.fhir_dates import age_in_years, first_moment, moment

CHINA = timezone(timedelta(hours=8))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2020-05-06T10:15:00Z", datetime(2020, 5, 6, 10, 15, tzinfo=UTC)),
        ("2020-05-06T10:15:00.123456789+08:00", datetime(2020, 5, 6, 10, 15, 0, 123456, tzinfo=CHINA)),
        ("2020-05-06T10:15:00", datetime(2020, 5, 6, 10, 15, tzinfo=UTC)),
        ("2020-05-06T10:15", datetime(2020, 5, 6, 10, 15, tzinfo=UTC)),
        ("2020-05-06 10:15:00 +0800", datetime(2020, 5, 6, 10, 15, tzinfo=CHINA)),
        ("2020-05-06", datetime(2020, 5, 6, tzinfo=UTC)),
        ("2020-05", datetime(2020, 5, 1, tzinfo=UTC)),
        ("2020", datetime(2020, 1, 1, tzinfo=UTC)),
        ("  2020-05-06 ", datetime(2020, 5, 6, tzinfo=UTC)),
        ("2020/5/6 9:05", datetime(2020, 5, 6, 9, 5, tzinfo=UTC)),
        ("2020年5月6日", datetime(2020, 5, 6, tzinfo=UTC)),
        ("20200506101500+0800", datetime(2020, 5, 6, 10, 15, tzinfo=CHINA)),
        ("202005061015", datetime(2020, 5, 6, 10, 15, tzinfo=UTC)),
        ("20200506t101500z", datetime(2020, 5, 6, 10, 15, tzinfo=UTC)),
        ("20200506", datetime(2020, 5, 6, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("2020-05-06T25:00:00", datetime(2020, 5, 6, tzinfo=UTC)),
        ("2020-05-06Tnoon", datetime(2020, 5, 6, tzinfo=UTC)),
    ],
)
def test_dates_are_read_leniently(written: str, expected: datetime) -> None:
    found = moment(written)
    assert found == expected
    assert found is not None
    assert found.utcoffset() == expected.utcoffset()


@pytest.mark.parametrize(
    "written",
    ["", "   ", "yesterday", "0001-01-01", "9999-12-31", "2020-13-01", "2020-02-30", "12345", None, 20.5, [], {}, True],
)
def test_what_names_no_date_is_none(written: object) -> None:
    assert moment(written) is None


@given(st.text(max_size=40))
def test_any_text_gives_an_aware_moment_or_none(text: str) -> None:
    found = moment(text)
    assert found is None or found.tzinfo is not None


def test_the_first_date_that_is_one_counts() -> None:
    assert first_moment("", None, "later", "2021", "2022") == datetime(2021, 1, 1, tzinfo=UTC)
    assert first_moment() is None


AS_OF = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("birth", "years"),
    [
        ("2026-05-29", 3 / 365.25),
        ("1966-06-01", 60.0),
        ("1966", 59.9),
        ("1966-06", 59.96),
        ("1896-06-01", 130.0),
        ("2026-06-02", 0.0),
        ("2026", 0.0),
        ("2026-06", 0.0),
    ],
)
def test_age_in_years_with_fractions(birth: str, years: float) -> None:
    assert age_in_years(birth, AS_OF) == pytest.approx(years, abs=0.02)


@pytest.mark.parametrize("birth", ["", None, "2026-06-09", "2027", "1860-01-01", "unknown"])
def test_an_impossible_birth_date_gives_no_age(birth: object) -> None:
    assert age_in_years(birth, AS_OF) is None
