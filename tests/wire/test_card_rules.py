"""The card as JSON against the rules of the specification, attribute by attribute, with the real card builder."""

from __future__ import annotations

import asyncio
import re
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from cds_hooks.occasion import BuiltCards
from tests.cds_hooks.assessments import BUILDER, assessment, chart, occasion

VISIBLE = re.compile(r"\S")


@pytest.fixture(scope="module", params=["en", "zh"])
def card(request: pytest.FixtureRequest) -> dict[str, Any]:
    """A card as it goes on the wire."""
    built: BuiltCards = asyncio.run(BUILDER(assessment(language=request.param), chart(), occasion()))
    (only,) = built.cards
    return only.model_dump(mode="json", by_alias=True, exclude_none=True)


def strings(value: Any) -> list[Any]:
    """Every value inside `value`."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [value, *(found for one in inner for found in strings(one))]


def is_absolute(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def test_nothing_is_null_or_empty(card: dict[str, Any]) -> None:
    assert not [value for value in strings(card) if value in (None, "", [], {})]


def test_uuid_is_a_lower_case_uuid(card: dict[str, Any]) -> None:
    assert str(UUID(card["uuid"])) == card["uuid"]


def test_summary_is_one_line_of_fewer_than_140_characters(card: dict[str, Any]) -> None:
    assert isinstance(card["summary"], str)
    assert 0 < len(card["summary"]) < 140
    assert "\n" not in card["summary"]


def test_detail_is_markdown_text(card: dict[str, Any]) -> None:
    assert isinstance(card["detail"], str)
    assert VISIBLE.search(card["detail"])
    assert "<" not in card["detail"], "GFM without raw HTML"


def test_indicator_is_one_of_the_three(card: dict[str, Any]) -> None:
    assert card["indicator"] in ("info", "warning", "critical")
    assert card["indicator"] != "critical", "dxspan suggests, it does not alarm"


def test_source_has_a_label_and_absolute_urls(card: dict[str, Any]) -> None:
    source = card["source"]
    assert isinstance(source["label"], str)
    assert is_absolute(source["url"])
    assert is_absolute(source.get("icon", "https://no-icon.example/"))


def test_source_url_is_no_drill_down(card: dict[str, Any]) -> None:
    assert card["uuid"] not in card["source"]["url"]
    assert urlsplit(card["source"]["url"]).query == ""


def test_source_topic_is_a_coding(card: dict[str, Any]) -> None:
    assert VISIBLE.search(card["source"]["topic"]["code"])
    assert VISIBLE.search(card["source"]["topic"]["system"])


def test_suggestions_come_with_their_selection_behavior(card: dict[str, Any]) -> None:
    assert ("suggestions" in card) == ("selectionBehavior" in card)
    assert card["selectionBehavior"] == "at-most-one", "the only value that a 1.0 client knows"


def test_every_suggestion_has_label_and_uuid(card: dict[str, Any]) -> None:
    uuids = [suggestion["uuid"] for suggestion in card["suggestions"]]
    assert len(set(uuids)) == len(uuids)
    for suggestion in card["suggestions"]:
        assert isinstance(suggestion["label"], str)
        assert str(UUID(suggestion["uuid"])) == suggestion["uuid"]
        assert isinstance(suggestion.get("isRecommended", False), bool)


def test_at_most_one_suggestion_is_recommended(card: dict[str, Any]) -> None:
    assert sum(suggestion.get("isRecommended", False) for suggestion in card["suggestions"]) <= 1


def test_every_action_has_type_description_and_a_whole_resource(card: dict[str, Any]) -> None:
    for suggestion in card["suggestions"]:
        (action,) = suggestion["actions"]
        assert set(action) == {"type", "description", "resource"}
        assert action["type"] == "create"
        assert action["description"]
        assert action["resource"]["resourceType"] == "Condition"
        assert "id" not in action["resource"], "the client's server gives it one"


def test_override_reasons_are_codings_with_display(card: dict[str, Any]) -> None:
    for reason in card["overrideReasons"]:
        assert set(reason) == {"code", "system", "display"}
        assert all(isinstance(value, str) and value for value in reason.values())


def test_links_have_label_url_and_type(card: dict[str, Any]) -> None:
    for link in card["links"]:
        assert isinstance(link["label"], str)
        assert is_absolute(link["url"])
        assert link["type"] in ("absolute", "smart")
        assert link["type"] == "smart" or "appContext" not in link
        assert isinstance(link.get("appContext", ""), str)


def test_no_attribute_that_not_every_client_knows(card: dict[str, Any]) -> None:
    keys = {key for value in strings(card) if isinstance(value, dict) for key in value}
    assert not keys & {"actionSelectionBehavior", "autolaunchable", "systemActions"}


def test_extensions_are_objects_with_reverse_domain_names(card: dict[str, Any]) -> None:
    assert isinstance(card["extension"], dict)
    assert all(re.fullmatch(r"[a-z]+(\.[a-z-]+)+", name) for name in card["extension"])
