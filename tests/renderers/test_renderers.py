"""Row D1: text of the chart or of the knowledge is text on the card, whatever renders its Markdown."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest

from cds_hooks.card import SUMMARY_LIMIT
from cds_hooks.card_detail import DETAIL_LIMIT
from cds_hooks.card_detail import detail as detail_of
from cds_hooks.safe_markdown import plain
from nlp_core.assessment import Language, Words
from nlp_core.chart import Unread
from nlp_core.note import Note
from tests.cds_hooks.assessments import NOW, assessment, candidate, chart, evidence
from tests.renderers.comparing import TEMPLATE, Compared, all_compared, compared
from tests.renderers.hostile_cards import EVERYWHERE, LANGUAGES, PLACES, card_with, hostile_cards, hostile_strings
from tests.renderers.rendering import HERE, missing, render, versions

PAGE = Path(__file__).parents[2] / "docs" / "security" / "renderers.md"
RENDERERS = (
    *("react-markdown + gfm + raw", "react-markdown + gfm", "marked", "commonmark", "showdown"),
    *("showdown, GitHub flavour", "markdown-it, HTML on", "markdown-it, HTML off", "markdown-it, all on"),
)
STRINGS = [text for texts in hostile_strings().values() for text in texts]
needs_renderers = pytest.mark.skipif(missing() is not None, reason=str(missing()))


def by(renderer: str) -> list[Compared]:
    return [one for one in all_compared() if one.renderer == renderer]


@needs_renderers
@pytest.mark.parametrize("renderer", RENDERERS)
def test_d1_no_string_changes_the_structure_of_a_card(renderer: str) -> None:
    assert {one.card.text for one in by(renderer)} == set(STRINGS)
    assert [str(one) for one in by(renderer) if not one.structure_kept] == []


@needs_renderers
@pytest.mark.parametrize("renderer", RENDERERS)
def test_d1_every_string_is_read_as_it_was_written(renderer: str) -> None:
    assert [str(one) for one in by(renderer) if not one.text_kept] == []


@needs_renderers
@pytest.mark.parametrize("renderer", RENDERERS)
def test_d1_no_element_has_an_attribute_so_nothing_is_fetched_linked_or_run(renderer: str) -> None:
    outlines = {one.rendering.outline for one in by(renderer)}
    assert [outline for outline in outlines if not TEMPLATE.fullmatch(outline)] == []


@needs_renderers
def test_the_strings_do_change_cards_when_they_are_put_there_as_they_are() -> None:
    """Else the tests above would show nothing."""
    chosen = hostile_cards(("headings", "lists"))
    assert {one.renderer for one in compared(chosen, as_is=True) if one.changed_as_is} == set(RENDERERS)


FILLERS = ("<", "*", "[", "w", "@", "://", "热", "a b ")


@needs_renderers
def test_d1_the_fullest_card_is_shortened_between_its_parts() -> None:
    details = [fullest_card(filler * 300, LANGUAGES[n % 2]) for n, filler in enumerate(FILLERS)]
    for detail, renderings in zip(details, render(details), strict=True):
        assert len(detail) <= DETAIL_LIMIT
        assert detail.count("\n- ") >= 3, "every diagnosis keeps a quote"
        for renderer, rendering in renderings.items():
            assert TEMPLATE.fullmatch(rendering.outline), renderer
            assert rendering.text.count("“") == rendering.text.count("”") == detail.count("\n- ")


def fullest_card(text: str, language: Language) -> str:
    """The detail of three diagnoses with `text` in every place, with everything said that can be."""
    note = Note(reference="DocumentReference/9", text=text, kind=text, author_role=text, date=NOW)
    quotes = tuple(evidence(text[: 200 + n], note=note) for n in range(4))
    told = [
        candidate(
            f"disease {n}",
            names=Words(en=text, zh=text),
            cannot_miss=True,
            evidence_for=quotes,
            evidence_against=tuple(quote.model_copy(update={"present": False}) for quote in quotes),
        )
        for n in range(3)
    ]
    given = assessment(*told, language=language, model_version=text, notes_unread=99_999)
    unread = (Unread(what="DocumentReference", reason="not-text", count=99_999),)
    return detail_of(given, chart(problems_available=False, unread=unread), given.candidates, language)


@pytest.mark.parametrize("text", STRINGS)
def test_d1_the_summary_and_the_buttons_are_one_line_of_visible_characters(text: str) -> None:
    card = card_with(text, "name of the diagnosis", "en")
    lines = [card["summary"], *(_said(suggestion) for suggestion in card["suggestions"])]
    assert len(card["summary"]) <= SUMMARY_LIMIT
    for line in lines:
        assert line == plain(line)
        assert not [c for c in line if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
    assert plain(text)[:40].rstrip() in card["summary"]


def _said(suggestion: dict[str, object]) -> str:
    (action,) = suggestion["actions"]  # type: ignore[misc]
    return f"{suggestion['label']} {action['description']}"


def test_a_name_of_invisible_characters_leaves_no_empty_bold() -> None:
    assert "**influenza (" in card_with("\u200b\u2060", "name of the diagnosis", "en")["detail"]


def test_text_that_nobody_sees_leaves_no_gap_in_the_origin() -> None:
    assert "” – Family physician, 2026" not in card_with("\u200b", "title of the note", "en")["detail"]
    assert "note, Family physician, 2026" in card_with("\u200b", "title of the note", "en")["detail"]
    assert "Clinic note, 2026" in card_with("\u200b", "role of the author", "en")["detail"]


def test_there_are_enough_strings_and_none_twice() -> None:
    assert len(STRINGS) == len(set(STRINGS)) >= 200
    assert len(PLACES) == 8
    assert EVERYWHERE not in PLACES


def test_the_lock_names_no_address_and_a_hash_for_every_package() -> None:
    packages = json.loads((HERE / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    locked = {name: package for name, package in packages.items() if name}
    assert all(package["integrity"].startswith("sha512-") for package in locked.values())
    assert not any("resolved" in package for package in locked.values())
    wanted = json.loads((HERE / "package.json").read_text(encoding="utf-8"))["dependencies"]
    assert {name: locked[f"node_modules/{name}"]["version"] for name in wanted} == wanted


@needs_renderers
def test_the_published_table_is_of_these_renderers_and_strings() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for renderer, packages in versions().items():
        assert f"| {renderer} | {packages} |" in page
    for category, texts in hostile_strings().items():
        assert f"| {category} | {len(texts)} |" in page
