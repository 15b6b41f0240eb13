"""The operators' page in a real browser: WCAG AA, hostile values, refreshing by itself, and saying so when it cannot."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from cds_hooks.app import create_app
from cds_hooks.http_server import server
from cds_hooks.memory.acceptance import Acceptance
from cds_hooks.operators import pages
from cds_hooks.operators.process_state import State, Watched
from cds_hooks.settings import Settings
from cds_hooks.switches import Switch
from tests.browser import listen
from tests.cds_hooks.operators.states import hour, queue, well
from tests.cds_hooks.operators.test_pages import TOKEN
from tests.cds_hooks.stand_ins import PlainCards, PlainClient, PlainFeedback
from tests.page_checks import AXE, as_wide_as_its_window, handlers, taken, violations
from tests.renderers.hostile_cards import hostile_strings
from tests.server_thread import ServerThread
from worker.local_redis import free_port
from worker.queue_store import QueueState

TAGS = "() => [...new Set([...document.querySelectorAll('*')].map(one => one.tagName.toLowerCase()))]"
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


def opened(page: Page, showing: Showing, query: str = "") -> None:
    page.goto(showing.address + query)
    expect(page.locator("#pause")).to_be_visible()


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
    page: Page, showing: Showing, state: State, query: str, width: int
) -> None:
    if not AXE.exists():
        pytest.skip("no axe-core: `make setup-test` installs it")
    showing.state = state
    page.set_viewport_size({"width": width, "height": 900})
    opened(page, showing, query)
    page.locator("#pause").click()
    assert violations(page) == {}
    assert as_wide_as_its_window(page)


def test_f06_no_label_becomes_more_than_text(page: Page, showing: Showing) -> None:
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
    heard = listen(page)
    opened(page, showing)
    assert set(page.evaluate(TAGS)) <= OURS
    assert not taken(page)
    assert not handlers(page)
    assert heard.refused() == []
    assert "<script>" in page.locator("#now").inner_text()
    before = page.locator("#now").element_handle()
    page.wait_for_function("before => document.getElementById('now') !== before", arg=before)
    assert set(page.evaluate(TAGS)) <= OURS, "nor when it is refreshed"
    assert not taken(page)


def test_it_turns_red_by_itself_and_says_when_it_is_old(page: Page, showing: Showing) -> None:
    opened(page, showing)
    assert page.title().startswith("✓")
    table = page.locator("[aria-labelledby=acceptance].scroll")
    table.focus()
    showing.state = everything_wrong()
    expect(page).to_have_title(re.compile("^✕"))
    assert "Something is broken" in page.locator(".overall").inner_text()
    expect(table).to_be_focused()  # the reader's place is kept
    assert not page.locator("#stale").is_visible()
    assert showing.served
    showing.served.__exit__(None, None, None)
    expect(page.locator("#stale")).to_be_visible()
    assert "2026-11-26 09:30:00" in page.locator("#stale").inner_text()
    assert page.title().startswith("?")


def test_refreshing_can_be_paused(page: Page, showing: Showing) -> None:
    opened(page, showing)
    pause = page.locator("#pause")
    pause.click()
    assert (pause.inner_text(), pause.get_attribute("aria-pressed")) == ("Refresh again", "true")
    showing.state = everything_wrong()
    page.wait_for_timeout(2500)
    assert page.title().startswith("✓")
    pause.click()
    expect(page).to_have_title(re.compile("^✕"))
