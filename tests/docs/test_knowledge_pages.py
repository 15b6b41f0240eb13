"""The pages of the knowledge as a reader meets them, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By

from docs.knowledge_pages.__main__ import write_pages
from docs.knowledge_pages.words import specialty_name
from nlp_core.knowledge import Knowledge
from nlp_core.knowledge_files import read_knowledge
from tests.browser import missing, open_browser
from tests.nlp_core.small_knowledge import finding, knowledge_of, small_knowledge

HOSTILE = "<img src=x onerror=document.title='taken'>"


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    if missing():
        pytest.skip(f"no {' and no '.join(missing())}: `make setup-test` installs them")
    driver = open_browser()
    yield driver
    driver.quit()


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


def test_a_page_shows_every_finding_as_a_bar_and_leads_to_the_other_language(
    browser: webdriver.Chrome, pages: Path
) -> None:
    browser.get((pages / "en" / "migraine.html").as_uri())
    shares = small_knowledge().diagnoses["migraine"].shares
    assert len(browser.find_elements(By.CSS_SELECTOR, "svg .bar")) == len(shares)
    widths = {
        bar.find_element(By.TAG_NAME, "title").get_attribute("textContent").split(":")[0]: float(
            str(bar.find_element(By.CSS_SELECTOR, "rect.with").get_attribute("width"))
        )
        for bar in browser.find_elements(By.CSS_SELECTOR, "svg .bar")
    }
    assert widths == pytest.approx({entry: max(1, 400 * share) for entry, share in shares.items()}, abs=0.06)
    browser.find_element(By.CSS_SELECTOR, "a.language").click()
    assert browser.current_url.endswith("/zh/migraine.html")
    assert browser.find_element(By.TAG_NAME, "html").get_attribute("lang") == "zh"


def test_names_are_text_and_never_markup(browser: webdriver.Chrome, pages: Path) -> None:
    browser.get((pages / "en" / "migraine.html").as_uri())
    assert HOSTILE[:20] in str(browser.find_element(By.TAG_NAME, "svg").get_attribute("textContent"))
    assert not browser.find_elements(By.TAG_NAME, "img")
    assert browser.title.startswith("Migraine")


def test_the_index_is_searched_by_name_in_either_language_and_by_code(browser: webdriver.Chrome, pages: Path) -> None:
    browser.get((pages / "en" / "index.html").as_uri())
    search = browser.find_element(By.ID, "search")
    everything = len(_shown(browser))
    for wanted in ("migra", "偏头痛", "g43"):
        search.clear()
        search.send_keys(wanted)
        assert [link.get_attribute("href").rpartition("/")[2] for link in _shown(browser)] == ["migraine.html"]
    search.clear()
    search.send_keys("zzz")
    assert not _shown(browser)
    search.clear()
    search.send_keys(" ")
    assert len(_shown(browser)) == everything == len(small_knowledge().diagnoses)


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


def _shown(browser: webdriver.Chrome) -> list[webdriver.remote.webelement.WebElement]:
    return [link for link in browser.find_elements(By.CSS_SELECTOR, "section li a") if link.is_displayed()]
