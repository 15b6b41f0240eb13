"""Markup becomes the text a reader sees, safely and fast."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp_core.plain_text import html_text, rtf_text, without_doctype, xhtml_text, xml_root
from nlp_core.unreadable import Unreadable


def test_html_blocks_lists_tables_and_entities() -> None:
    markup = (
        "<html><head><title>Jane Roe</title><style>p{}</style></head><body><h1>Note</h1>"
        "<p>Chest&nbsp;pain &amp; <b>dys</b>pnoea<br/>no fever</p><ul><li>aspirin</li><li><p>statin</p></li></ul>"
        "<table><tr><th>Potassium</th><td>6.2</td></tr><tr><th>Sodium</th><td>140</td></tr></table>"
        "end<!-- hidden --></body></html>"
    )
    assert html_text(markup) == (
        "Note\n\nChest pain & dyspnoea\nno fever\n\n- aspirin\n- statin\n\nPotassium\t6.2\nSodium\t140\nend"
    )


@pytest.mark.parametrize(
    "hidden",
    ["<script>x</script>", "<style>x</style>", '<p style="display: none">x</p>', "<p hidden>x</p>",
     "<del>x</del>", "<s>x</s>", "<!-- x -->", "<?x x?>",
     '<span style="text-decoration:line-through">x</span>', "<template>x</template>"],
)  # fmt: skip
def test_what_a_clinician_would_not_see_is_left_out(hidden: str) -> None:
    assert html_text(f"<div>before {hidden} after</div>").split() == ["before", "after"]


def test_xhtml_narrative_well_formed_or_not() -> None:
    namespace = 'xmlns="http://www.w3.org/1999/xhtml"'
    assert xhtml_text(f"<div {namespace}>a &lt; b<p>c</p></div>") == "a < b\nc"
    assert xhtml_text(f"<div {namespace}>a&nbsp;b<br>c</div>") == "a b\nc"
    assert xhtml_text("just text") == "just text"
    assert xhtml_text("") == ""


def test_rtf_text_without_properties_and_with_chinese_and_emoji() -> None:
    head = r"\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}{\info{\author Jane Roe}}"
    rtf = rf"{{\rtf1{head}Chest pain\par no f\'e8vre \u32993?\u-10179?\u-8704?}}"
    assert rtf_text(rtf) == "Chest pain\nno fèvre 胡😀"
    assert rtf_text(r"{\rtf1\ansi\ansicpg936 \'d0\'d8\'cd\'b4}") == "胸痛"


@pytest.mark.parametrize("number", ["99999999", "1114112", "-99999"])
def test_rtf_with_characters_that_are_none_is_undecodable(number: str) -> None:
    with pytest.raises(Unreadable, match="undecodable"):
        rtf_text(rf"{{\rtf1\u{number}?}}")


def test_entities_of_a_dtd_are_never_resolved(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("TOPSECRET")
    for declaration in (f'<!ENTITY x SYSTEM "{secret.as_uri()}">', '<!ENTITY x "TOPSECRET">'):
        markup = f"<!DOCTYPE div [{declaration}]><div>a &x; b</div>"
        for read in (xhtml_text, html_text):
            assert "TOPSECRET" not in read(markup)
        assert "TOPSECRET" not in xhtml_text(f'<!DOCTYPE div [{declaration}]><div title="&x;">a</div>')


@pytest.mark.parametrize(
    ("markup", "rest"),
    [
        ("<!DOCTYPE html><p>x</p>", " <p>x</p>"),
        ('<!doctype a SYSTEM "b"><p>x</p>', " <p>x</p>"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><p>x</p>', " <p>x</p>"),
        ("<!DOCTYPE a [<!ENTITY b 'c'", " "),
        ("<!DOCTYPE", " "),
        ("<!DOC<!DOCTYPE a>TYPE b []>", "<!DOC TYPE b []>"),
        ("<p>[x]</p>", "<p>[x]</p>"),
    ],
)
def test_document_type_is_cut_out(markup: str, rest: str) -> None:
    assert without_doctype(markup) == rest


@pytest.mark.parametrize("markup", ["", "<a>", "text", "<a></b>", "<a>&x;</a>"])
def test_broken_xml_is_undecodable(markup: str) -> None:
    with pytest.raises(Unreadable, match="undecodable"):
        xml_root(markup)


@pytest.mark.parametrize(
    "piece",
    ["<", "<a ", "<!--", "<!DOCTYPE", "<!DOCTYPE a>", "<!DOCTYPE a[", "<!DOC<!DOCTYPE a>", "&", " ", "<a b='",
     "<![CDATA[",
     "<div>", "<b>", "<table><td>", "\t\n", "<script>", "<p>x"],
)  # fmt: skip
def test_hostile_markup_costs_under_a_second(piece: str) -> None:
    markup = piece * (100_000 // len(piece))
    began = time.process_time()
    html_text(markup)
    xhtml_text(markup)
    assert time.process_time() - began < 2  # of the processor, with coverage counting


@pytest.mark.parametrize("piece", ["{", "\\", "\\'", r"\u12345?", "a", r"\par ", "\\a", "}"])
def test_hostile_rtf_costs_under_a_second(piece: str) -> None:
    began = time.process_time()
    with suppress(Unreadable):
        rtf_text(r"{\rtf1 " + piece * (100_000 // len(piece)))
    assert time.process_time() - began < 2  # of the processor, with coverage counting


def test_words_below_very_deep_nesting_are_not_lost() -> None:
    assert "end" in html_text("<div>" * 20_000 + "start" + "</div>" * 20_000 + "<p>end</p>")


@given(st.text(max_size=200))
def test_any_text_is_readable_as_markup(text: str) -> None:
    html_text(text)
    xhtml_text(text)
