"""Anybody may read where suggestions come from, in three forms that say the same."""

from __future__ import annotations

import asyncio
import base64
import html
import re

import pytest
from fhir.resources.R4B.device import Device
from fhir.resources.R4B.documentreference import DocumentReference

from cds_hooks.transparency.source_attributes import ATTRIBUTES
from nlp_core.bundle_manifest import read_manifest
from nlp_core.model_bundle import SHIPPED_BUNDLE
from tests.cds_hooks.assessments import BUILDER, assessment, chart, occasion
from tests.cds_hooks.conftest import Serve, Served

PATHS = (
    "/transparency",
    "/transparency.json",
    "/transparency.md",
    "/transparency/model-card.md",
    "/transparency/model-card.json",
    "/transparency/device.json",
)


@pytest.mark.parametrize("path", PATHS)
def test_no_token_is_asked_for_and_nothing_can_run(guarded: Served, path: str) -> None:
    answer = guarded.http.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in answer.headers
    for forbidden in ("<script", " style=", " onclick", "javascript:"):
        assert forbidden not in answer.text


def test_three_forms_say_the_same(web: Served) -> None:
    attributes = web.http.get("/transparency.json").json()["sourceAttributes"]
    assert list(attributes) == [attribute.key for attribute in ATTRIBUTES]
    page = html.unescape(web.http.get("/transparency").text)
    markdown = re.sub(r"\\(.)", r"\1", web.http.get("/transparency.md").text)
    for attribute in attributes.values():
        assert attribute["value"] in page
        assert attribute["value"] in markdown
        assert attribute["name"] in page
        assert all(one["source"] in page for one in attribute["sources"])


def test_what_an_operator_writes_is_shown_as_text(serve: Serve) -> None:
    hostile = "<script>x</script> [a](javascript:x) `y` | **z**"
    served = serve(developer=hostile)
    page, markdown = served.http.get("/transparency").text, served.http.get("/transparency.md").text
    assert html.escape(hostile) in page
    assert "<script" not in page
    assert "\\<script\\>x\\</script\\> \\[a\\](javascript:x) \\`y\\` \\| \\*\\*z\\*\\*" in markdown


def test_the_model_card_is_on_the_page_and_alone(web: Served) -> None:
    card = (SHIPPED_BUNDLE / "model_card.md").read_text(encoding="utf-8")
    assert web.http.get("/transparency/model-card.md").text == card
    title = card.splitlines()[0].removeprefix("# ")
    assert title in web.http.get("/transparency").text


def test_the_device_names_the_weights_and_the_tokenizer_by_checksum(web: Served) -> None:
    answer = web.http.get("/transparency/device.json")
    assert answer.headers["content-type"].startswith("application/fhir+json")
    read = Device.model_validate(answer.json())
    manifest = read_manifest(SHIPPED_BUNDLE)
    said = {version.type.text: version.value for version in read.version}
    assert said == {
        "model": manifest.version,
        "weights SHA-256": manifest.weights.sha256,
        "tokenizer SHA-256": manifest.files["tokenizer.json"].sha256,
    }


def test_the_model_card_is_a_document_reference_too(web: Served) -> None:
    read = DocumentReference.model_validate(web.http.get("/transparency/model-card.json").json())
    attachment = read.content[0].attachment
    assert attachment.contentType == "text/markdown"
    data = web.http.get("/transparency/model-card.json").json()["content"][0]["attachment"]["data"]
    assert base64.b64decode(data).decode() == web.http.get("/transparency/model-card.md").text


def test_the_chinese_page_says_the_same_figures_of_the_same_attributes(web: Served) -> None:
    page = html.unescape(web.http.get("/transparency?lang=zh").text)
    assert '<html lang="zh">' in page
    for attribute in web.http.get("/transparency.json").json()["sourceAttributes"].values():
        assert f'<th scope="row">{attribute["name"]}</th>' not in page
        for one in attribute["sources"]:
            assert one["source"] in page
            assert str(one["value"]) in page


@pytest.mark.parametrize(("language", "query"), [("en", ""), ("zh", "?lang=zh")])
def test_it_is_one_click_from_the_card(web: Served, language: str, query: str) -> None:
    built = asyncio.run(BUILDER(assessment(language=language), chart(), occasion()))
    links = [link.url for link in built.cards[0].links]
    assert f"https://cds.example.org/transparency{query}" in links
    assert f'href="/transparency{query}"' in web.http.get(f"/about{query}").text
