"""A reading is an assessment or a reason, never both and never neither."""

from __future__ import annotations

import pytest

from tests.worker.conftest import chart_of
from tests.worker.plain_reader import PlainReader
from worker.client import Reading


def test_a_reading_without_assessment_must_say_why() -> None:
    with pytest.raises(ValueError, match="either an assessment or the reason"):
        Reading(None)


def test_a_reading_with_assessment_has_no_reason() -> None:
    with pytest.raises(ValueError, match="either an assessment or the reason"):
        Reading(PlainReader().assess(chart_of("a note")), "deadline")
