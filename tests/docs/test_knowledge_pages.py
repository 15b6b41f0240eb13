"""The pages of the knowledge as a reader meets them, in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from docs.knowledge_pages.__main__ import write_pages
from docs.knowledge_pages.words import specialty_name
from nlp_core.knowledge import Knowledge
from nlp_core.knowledge_files import read_knowledge
from tests.nlp_core.small_knowledge import finding, knowledge_of, small_knowledge

HOSTILE = "<img src=x onerror=document.title='taken'>"


def knowledge() -> Knowledge:
    """The small knowledge with one name that would like to be a script."""
    entries = small_knowledge()
    taken = finding("photophobia", HOSTILE, "畏光")
    diagnoses = [entry.model_copy(update={"specialty": "neurology"}) for entry in entries.diagnoses.values()]
    return knowledge_of([*entries.findings.values(), taken], diagnoses)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    write_pages(knowledge(), folder)
    return folder


def test_a_page_shows_every_finding_as_a_bar_and_leads_to_the_other_language(page: Page, pages: Path) -> None:
    page.goto((pages / "en" / "migraine.html").as_uri())
    shares = small_knowledge().diagnoses["migraine"].shares
    bars = page.locator("svg .bar").all()
    assert len(bars) == len(shares)
    widths = {
        str(bar.locator("title").text_content()).split(":")[0]: float(
            str(bar.locator("rect.with").get_attribute("width"))
        )
        for bar in bars
    }
    assert widths == pytest.approx({entry: max(1, 400 * share) for entry, share in shares.items()}, abs=0.06)
    page.locator("a.language").click()
    page.wait_for_url("**/zh/migraine.html")
    assert page.locator("html").get_attribute("lang") == "zh"


def test_names_are_text_and_never_markup(page: Page, pages: Path) -> None:
    page.goto((pages / "en" / "migraine.html").as_uri())
    assert HOSTILE[:20] in str(page.locator("svg").text_content())
    assert page.locator("img").count() == 0
    assert page.title().startswith("Migraine")


def test_the_index_is_searched_by_name_in_either_language_and_by_code(page: Page, pages: Path) -> None:
    page.goto((pages / "en" / "index.html").as_uri())
    shown = page.locator("section li a:visible")
    everything = shown.count()
    for wanted in ("migra", "偏头痛", "g43"):
        page.locator("#search").fill(wanted)
        expect(shown).to_have_count(1)
        assert str(shown.get_attribute("href")).rpartition("/")[2] == "migraine.html"
    page.locator("#search").fill("zzz")
    expect(shown).to_have_count(0)
    page.locator("#search").fill(" ")
    expect(shown).to_have_count(everything)
    assert everything == len(small_knowledge().diagnoses)


def test_every_page_says_that_no_clinician_has_reviewed_it(pages: Path) -> None:
    for page in pages.glob("en/*.html"):
        assert "No clinician has reviewed it" in page.read_text(encoding="utf-8"), page.name
    for page in pages.glob("zh/*.html"):
        assert "未经临床医生审核" in page.read_text(encoding="utf-8"), page.name


def test_the_shipped_knowledge_has_a_page_for_each_diagnosis_and_a_word_for_each_specialty(tmp_path: Path) -> None:
    shipped = read_knowledge()
    assert write_pages(shipped, tmp_path) == 2 * (len(shipped.diagnoses) + 1)
    for specialty in {diagnosis.specialty for diagnosis in shipped.diagnoses.values()}:
        assert specialty_name(specialty, "zh") != specialty
