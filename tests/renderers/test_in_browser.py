"""Row D1 in a real browser: cards of every renderer in a page without any Content-Security-Policy."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By

from tests.browser import missing as missing_browser
from tests.browser import open_browser
from tests.renderers.comparing import all_compared
from tests.renderers.rendering import missing, render

LIVE = "script, iframe, frame, form, input, button, style, link, meta, base, img, svg, math, object, embed, video, a"
OUR_OWN = ("meta", "link")
"""In the head of the page that the cards stand in."""
AS_THEY_ARE = (
    '<img src=x onerror="window.taken=1">',
    "<iframe src=/beacon.html></iframe>",
    "<form action=https://evil.example/p><input type=password name=p></form>",
    "![scan](https://evil.example/beacon.png)",
)


class Pages:
    """A web server of 127.0.0.1 that shows one page at /."""

    def __init__(self) -> None:
        self.body = ""
        pages = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = self.path == "/"
                self.send_response(HTTPStatus.OK if found else HTTPStatus.NOT_FOUND)
                self.send_header("content-type", "text/html; charset=utf-8")
                self.end_headers()
                if found:
                    self.wfile.write(pages.body.encode())

            def log_message(self, *_: Any) -> None:
                """Nothing is logged."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        Thread(target=self.server.serve_forever, daemon=True).start()

    def show(self, fragments: Iterable[str]) -> None:
        cards = "".join(f"<section>{fragment}</section>" for fragment in fragments)
        head = "<!DOCTYPE html><html><head><meta charset=utf-8><link rel=icon href=data:,><title>cards</title></head>"
        self.body = f"{head}<body>{cards}</body></html>"


@pytest.fixture(scope="module")
def pages() -> Iterator[Pages]:
    served = Pages()
    yield served
    served.server.shutdown()
    served.server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    if missing_browser():
        pytest.skip(f"no {' and no '.join(missing_browser())}: `make setup-test` installs them")
    if missing():
        pytest.skip(str(missing()))
    driver = open_browser(log_network=True)
    yield driver
    driver.quit()


def opened(browser: webdriver.Chrome, pages: Pages, fragments: Iterable[str]) -> dict[str, Any]:
    """What became of a page with these: live elements by tag, requests besides the page's own, and whether a script ran."""
    pages.show(fragments)
    browser.get_log("performance")
    browser.get(pages.url)
    elements = [element.tag_name for element in browser.find_elements(By.CSS_SELECTOR, LIVE)]
    handlers = "return [...document.querySelectorAll('section *')].filter(e => e.attributes.length).length"
    return {
        "ran": browser.execute_script("return 'taken' in window"),
        "elements": [tag for tag in elements if tag not in OUR_OWN],
        "with attributes": browser.execute_script(handlers),
        "sections": len(browser.find_elements(By.CSS_SELECTOR, "body > section")),
        "requests": [url for url in _requested(browser) if url != pages.url and not url.startswith("data:,")],
        "at": browser.current_url,
        "visible": browser.execute_script("return document.body.innerText.length"),
    }


def _requested(browser: webdriver.Chrome) -> list[str]:
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    return [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]


def test_d1_no_script_runs_no_request_leaves_no_form_or_frame_stands_there(
    browser: webdriver.Chrome, pages: Pages
) -> None:
    by_renderer: dict[str, list[str]] = defaultdict(list)
    for one in all_compared():
        by_renderer[one.renderer].append(one.rendering.html)
    for renderer, cards in by_renderer.items():
        found = opened(browser, pages, cards)
        assert found.pop("visible") > 100 * len(cards), renderer
        assert found == {
            "ran": False,
            "elements": [],
            "with attributes": 0,
            "sections": len(cards),
            "requests": [],
            "at": pages.url,
        }, renderer


def test_a_script_a_request_a_form_and_a_frame_would_be_seen(browser: webdriver.Chrome, pages: Pages) -> None:
    """Else the test above would show nothing."""
    found = opened(browser, pages, (renderings["marked"].html for renderings in render(AS_THEY_ARE)))
    assert found["ran"]
    assert {"img", "iframe", "form", "input"} <= set(found["elements"])
    assert {"https://evil.example/beacon.png", f"{pages.url}x", f"{pages.url}beacon.html"} <= set(found["requests"])
