"""The operators' page in a real browser: WCAG AA, hostile values, refreshing by itself, and saying so when it cannot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from cds_hooks.app import create_app
from cds_hooks.http_server import server
from cds_hooks.memory.acceptance import Acceptance
from cds_hooks.operators import pages
from cds_hooks.operators.process_state import State, Watched
from cds_hooks.settings import Settings
from cds_hooks.switches import Switch
from tests.browser import missing as missing_browser
from tests.browser import open_browser
from tests.cds_hooks.operators.states import hour, queue, well
from tests.cds_hooks.operators.test_pages import TOKEN
from tests.cds_hooks.stand_ins import PlainCards, PlainClient, PlainFeedback
from tests.page_checks import AXE, violations
from tests.renderers.hostile_cards import hostile_strings
from tests.server_thread import ServerThread
from worker.local_redis import free_port
from worker.queue_store import QueueState

PATIENCE = 60
TAGS = "return [...new Set([...document.querySelectorAll('*')].map(one => one.tagName.toLowerCase()))]"
OURS = set(
    "html head meta title link script body header h1 h2 h3 nav button a p main span strong section ul li code div figure "
    "figcaption svg rect line polyline table thead tbody tr th td dl dt dd".split()
)


class Showing:
    """A real process whose page shows the state that the test gives."""

    def __init__(self, port: int) -> None:
        self.state = well()
        self.address = f"http://operator:{TOKEN}@127.0.0.1:{port}/operators"
        self.served: ServerThread | None = None


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    if missing_browser():
        pytest.skip(f"no {' and no '.join(missing_browser())}: `make setup-test` installs them")
    driver = open_browser(1280, 900)
    yield driver
    driver.quit()


@pytest.fixture
def showing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Showing]:
    port = free_port()
    showing = Showing(port)

    async def state(_: Watched) -> State:
        return showing.state

    monkeypatch.setattr(Watched, "state", state)
    monkeypatch.setattr(pages, "REFRESH_SECONDS", 1)
    settings = Settings(development=True, public_base_url=f"http://127.0.0.1:{port}", operators_token=TOKEN)
    app = create_app(settings, PlainClient(), cards=PlainCards(), feedback=PlainFeedback())
    with ServerThread(server(app, host="127.0.0.1", port=port)) as showing.served:
        yield showing


def wait(browser: webdriver.Chrome, for_what: Any) -> Any:
    return WebDriverWait(browser, PATIENCE).until(for_what)


def opened(browser: webdriver.Chrome, showing: Showing, query: str = "") -> None:
    browser.get("about:blank")
    browser.get(showing.address + query)
    wait(browser, lambda it: not it.execute_script("return document.getElementById('pause').hidden"))


def everything_wrong() -> State:
    switch = Switch(mode="shadow", tenant="hospital-a", reason="x", since=datetime(2026, 11, 1, tzinfo=UTC))
    return well(
        ready=None, queue=queue(state=None, left_alone=True, silent=True, skew_seconds=40.0), feedback_ready=False,
        hour=hour(0, 60, 30, slow=9.0, audit_failures=2, security_events=3), switches=(switch,), switches_faulty=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("state", "query", "width"),
    [(well(), "", 1280), (everything_wrong(), "?lang=zh", 1280), (everything_wrong(), "", 500)],
    ids=["well", "wrong-zh", "narrow"],
)
def test_the_page_keeps_wcag_aa_and_its_width(
    browser: webdriver.Chrome, showing: Showing, state: State, query: str, width: int
) -> None:
    if not AXE.exists():
        pytest.skip("no axe-core: `make setup-test` installs it")
    showing.state = state
    browser.set_window_size(width, 900)
    opened(browser, showing, query)
    browser.find_element(By.ID, "pause").click()
    assert violations(browser) == {}
    assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")


def test_f06_no_label_becomes_more_than_text(browser: webdriver.Chrome, showing: Showing) -> None:
    strings = [text for texts in hostile_strings().values() for text in texts if len(text) < 300 and text.strip()]
    assert len(strings) > 43
    first = strings[0]
    since = datetime(2026, 11, 1, tzinfo=UTC)
    switch = Switch(reason="x", since=since).model_copy(
        update={"tenant": first, "diagnosis": first, "model_version": first}
    )
    hostile = hour()
    hostile = replace(hostile, answers=hostile.answers + Counter(("silent", text) for text in strings))
    showing.state = well(
        acceptance=[Acceptance("", text, 100, 5, 5) for text in strings], muted=dict.fromkeys(strings, 1), hour=hostile,
        queue=queue(state=QueueState(1, 1, first)), model_version=first, knowledge_version=first, switches=(switch,),
    )  # fmt: skip
    browser.set_window_size(1280, 900)
    browser.get_log("browser")
    opened(browser, showing)
    assert set(browser.execute_script(TAGS)) <= OURS
    assert browser.execute_script("return 'taken' in window") is False
    handlers = (
        "return [...document.querySelectorAll('*')].some(e => [...e.attributes].some(a => /^on|^style$/.test(a.name)))"
    )
    assert browser.execute_script(handlers) is False
    assert [entry for entry in browser.get_log("browser") if "Content Security Policy" in entry["message"]] == []
    assert "<script>" in browser.find_element(By.ID, "now").text
    before = browser.find_element(By.ID, "now")
    wait(browser, lambda it: it.find_element(By.ID, "now") != before)
    assert set(browser.execute_script(TAGS)) <= OURS, "nor when it is refreshed"
    assert browser.execute_script("return 'taken' in window") is False


def test_it_turns_red_by_itself_and_says_when_it_is_old(browser: webdriver.Chrome, showing: Showing) -> None:
    browser.set_window_size(1280, 900)
    opened(browser, showing)
    assert browser.title.startswith("✓")
    table = "[aria-labelledby=acceptance].scroll"
    browser.execute_script(f"document.querySelector('{table}').focus()")
    showing.state = everything_wrong()
    wait(browser, lambda it: it.title.startswith("✕"))
    assert "Something is broken" in browser.find_element(By.CSS_SELECTOR, ".overall").text
    assert browser.switch_to.active_element == browser.find_element(By.CSS_SELECTOR, table), (
        "the reader's place is kept"
    )
    assert not browser.find_element(By.ID, "stale").is_displayed()
    assert showing.served
    showing.served.__exit__(None, None, None)
    wait(browser, lambda it: it.find_element(By.ID, "stale").is_displayed())
    assert "2026-11-26 09:30:00" in browser.find_element(By.ID, "stale").text
    assert browser.title.startswith("?")


def test_refreshing_can_be_paused(browser: webdriver.Chrome, showing: Showing) -> None:
    browser.set_window_size(1280, 900)
    opened(browser, showing)
    pause = browser.find_element(By.ID, "pause")
    pause.click()
    assert (pause.text, pause.get_attribute("aria-pressed")) == ("Refresh again", "true")
    showing.state = everything_wrong()
    browser.set_script_timeout(30)
    browser.execute_async_script("setTimeout(arguments[0], 2500)")
    assert browser.title.startswith("✓")
    pause.click()
    wait(browser, lambda it: it.title.startswith("✕"))
