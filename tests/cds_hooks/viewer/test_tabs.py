"""The viewer's tabs: the record summary, and asking the chart. A model that is away is never "not in the chart"."""

from __future__ import annotations

import html
import logging
import re

import pytest

from cds_hooks.viewer.page_words import PAGE
from nlp_core.assessment import Assessment, RecordSummary, SummaryItem
from nlp_core.chart import Chart
from nlp_core.note import Span
from tests.cds_hooks.charts import document
from tests.cds_hooks.viewer.conftest import TEXT, Viewing, cited

WORDS = "Canary-dry cough"
NOT_THERE, AWAY = PAGE["nowhere"].en, PAGE["not_answered"].en


def summed_up(chart: Chart) -> Assessment:
    note = chart.notes[0]
    start = note.text.index(WORDS)
    span = Span(start=start, end=start + len(WORDS))
    item = SummaryItem(
        heading="problem", reference=note.reference, span=span, quote=WORDS, kind="Visit", date=note.date
    )
    return cited(chart).model_copy(update={"summary": RecordSummary(items=(item,))})


def test_the_answer_is_quoted_with_its_note_and_linked_to_its_words(viewing: Viewing) -> None:
    visitor, page = viewing.opened()
    answer = visitor.ask(page, WORDS)
    assert answer.status_code == 200
    assert f"<q>{WORDS}</q>" in answer.text
    assert 'href="#p1"' in answer.text
    assert re.search(rf'<mark class="quoted" id="p1"[^>]*><a [^>]*>{WORDS}</a></mark>', answer.text)
    assert NOT_THERE not in answer.text


@pytest.mark.parametrize(("question", "says", "never"), [("haemoglobin", NOT_THERE, AWAY), ("away", AWAY, NOT_THERE)])
def test_nothing_found_and_a_model_that_is_away_are_told_apart(
    viewing: Viewing, question: str, says: str, never: str
) -> None:
    visitor, page = viewing.opened()
    answer = visitor.ask(page, question).text
    assert says in answer
    assert never not in answer


def test_a_question_reaches_no_address_log_or_header(viewing: Viewing, caplog: pytest.LogCaptureFixture) -> None:
    visitor, page = viewing.opened()
    with caplog.at_level(logging.DEBUG):
        answer = visitor.ask(page, WORDS)
    assert WORDS not in str(answer.url)
    assert WORDS not in str(answer.headers)
    assert WORDS not in caplog.text
    assert answer.headers["cache-control"] == "no-store"


def test_hostile_questions_stay_text(viewing: Viewing) -> None:
    visitor, page = viewing.opened()
    answer = visitor.ask(page, '"><script>taken=1</script>').text
    assert "<script>taken" not in answer
    assert "&lt;script&gt;taken=1" in answer


@pytest.mark.parametrize("question", ["", "   ", "x" * 401, "发" * 5000])
def test_no_question_or_too_much_is_refused_with_the_form(viewing: Viewing, question: str) -> None:
    visitor, page = viewing.opened()
    answer = visitor.ask(page, question)
    assert answer.status_code == 400
    assert PAGE["not_asked"].en in answer.text
    assert NOT_THERE not in answer.text


def test_a_question_from_another_site_is_refused(viewing: Viewing) -> None:
    visitor, page = viewing.opened()
    assert visitor.ask(page, WORDS, **{"sec-fetch-site": "cross-site"}).status_code == 403


def test_no_tab_opens_without_a_session(viewing: Viewing) -> None:
    _, page = viewing.opened()
    for tab in ("summary", "questions"):
        assert viewing.visitor().get(f"{page.url.path}/{tab}").status_code == 401
    assert viewing.visitor().ask(page, WORDS).status_code == 401


def test_the_summary_tab_quotes_sentences_linked_to_their_words_in_both_languages(viewing: Viewing) -> None:
    viewing.reader.answer = summed_up
    try:
        visitor, page = viewing.opened(documents=[document(TEXT)])
    finally:
        viewing.reader.answer = cited
    english, chinese = (visitor.get(f"{page.url.path}/summary?lang={one}").text for one in ("en", "zh"))
    for text, heading in ((english, "Problems"), (chinese, "问题")):
        assert f"<q>{WORDS}</q>" in text
        assert 'href="#p1"' in text
        assert f"<h3>{heading}</h3>" in text
    assert 'aria-current="page">Record summary' in english


def test_a_reading_without_summary_says_so(viewing: Viewing) -> None:
    visitor, page = viewing.opened()
    assert PAGE["no_summary"].en in visitor.get(f"{page.url.path}/summary").text


def test_a_note_that_is_not_on_the_page_of_an_answer_opens_without_losing_the_answer(viewing: Viewing) -> None:
    long = [document(f"Note number {n}. " + "Nothing to report. " * 1500, number=n) for n in range(2, 7)]
    visitor, page = viewing.opened(documents=[document(TEXT), *long])
    answer = visitor.ask(page, WORDS)
    form = re.search(r'<form method="post" action="([^"]+note=(\d)#n\d)"><input [^>]*value="([^"]*)">', answer.text)
    assert form, "the notes are more than one page holds"
    assert f'id="n{form[2]}"' not in answer.text
    assert form[3] == WORDS
    opened = visitor.http.post(visitor.url + html.unescape(form[1]), data={"question": form[3]})
    assert f'id="n{form[2]}"' in opened.text
    assert f"<q>{WORDS}</q>" in opened.text
    assert "?lang=en&amp;note=" not in re.sub(r"<form.*?</form>", "", answer.text)


@pytest.mark.parametrize("tab", ["", "/summary", "/questions"])
def test_limits_and_source_attributes_are_one_click_away_from_every_tab(viewing: Viewing, tab: str) -> None:
    visitor, page = viewing.opened()
    text = visitor.get(page.url.path + tab).text
    assert '<a href="/transparency?lang=en"' in text
    assert '<a href="/about?lang=en"' in text
