"""Everything on the card is in the viewer, too: each sample chart's real card beside its page, word for word."""

from __future__ import annotations

import html
import re

import pytest
from markdown_it import MarkdownIt

from cds_hooks.demo_requests import SampleChart, sample_charts
from tests.cds_hooks.demo_ehr.conftest import Site

CARDS = [chart for chart in sample_charts() if chart.expect == "card"]
EXTENSION = "org.dxspan.assessment"
CLOSING = {
    "en": ("calibrated on simulated patients only", "absence from this list"),
    "zh": ("模拟患者校准", "不代表可以排除"),
}


def plain(markup: str) -> str:
    """The words that a reader sees, in one line."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", markup)).replace("\u2060", "").split())


def said(detail: str) -> list[str]:
    """Every single thing the card's text says: names, codes, bands, quotes, origins, steps, what was not seen, the model."""
    lines = [plain(line) for line in re.split(r"</?(?:li|p|ul)>", MarkdownIt().render(detail))]
    pieces = [piece for line in lines for piece in re.split(r"[“”·;:：；]| – |[()（）]|^\d\.", line)]
    return [piece.strip(" .。*") for piece in pieces if piece.strip(" .。*")]


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


@pytest.mark.parametrize("chart", CARDS, ids=lambda chart: chart.name)
def test_everything_on_a_card_is_on_its_page(site: Site, chart: SampleChart) -> None:
    card, page = site.card_and_page(chart)
    shown = squeezed(plain(page))
    assert squeezed(card["summary"]) in shown
    body, _, closing = card["detail"].rpartition("\n\n")
    assert [piece for piece in said(body) if squeezed(piece) not in shown] == []
    language = "zh" if re.search("[\u4e00-\u9fff]", closing) else "en"
    for words in CLOSING[language]:  # what the card's last line says, the page says at more length
        assert squeezed(words) in squeezed(closing)
        assert squeezed(words) in shown
    model = re.search(r"\d+\+[0-9a-f]+", plain(MarkdownIt().render(closing)))
    assert model
    assert model[0] in shown
    for diagnosis in card["extension"][EXTENSION]["diagnoses"]:
        for evidence in (*diagnosis["for"], *diagnosis.get("against", ())):
            assert squeezed(evidence["quote"]) in shown
    links = {link["url"] for link in card["links"] if link["type"] == "absolute"}
    assert {re.sub(r"\?.*", "", url) for url in links} <= {
        site.base + path for path in re.findall(r'href="(/[a-z]+)', page)
    }


def test_the_comparison_would_find_what_is_missing(site: Site) -> None:
    card, page = site.card_and_page(CARDS[0])
    pieces = said(card["detail"])
    assert len(pieces) > 15
    without = squeezed(plain(page.replace(pieces[0], "")))
    assert squeezed(pieces[0]) not in without
