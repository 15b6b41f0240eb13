import html

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cds_hooks.safe_markdown import WORD_JOINER, inert, plain

HOSTILE = [
    "<img src=x onerror=alert(1)>", "<script>alert(1)</script>", "<iframe src=//evil>", "<!-- hidden -->", "</p></div>",
    "# STOP ALL ANTICOAGULANTS", "## heading", "- item", "* item", "1. item", "1) item", "> quote", "```\ncode\n```",
    "    indented", "***", "---", "===", "a\n===", "a\n---", "**bold**", "__bold__", "*em*", "_em_", "~~gone~~", "`code`",
    "[x](javascript:alert(1))", "![x](http://evil/x.png)", "[x]: http://evil", "<http://evil>", "http://evil.example",
    "https://evil.example/a?b=c", "www.evil.example", "me@evil.example", "mailto:me@evil.example", "| a | b |\n|---|---|\n| 1 | 2 |",
    "- [ ] task", "a  \nb", "a\\\nb", "&lt;b&gt;", "&#60;b&#62;", "&nbsp;", "\u202ereversed\u202c", "zero\u200bwidth", "\x1b[31mred",
    "\u2028line", "$x^2$", "==mark==", "^sup^", ":smile:", "{{constructor}}", "a\tb", "+ item", "[^1]: note", "<b",
    "ftp://evil.example", "WWW.EVIL.EXAMPLE", "<svg><a xlink:href=javascript:alert(1)>", "\ufeff# bom", "&Tab;", "‮",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_chart_text_cannot_change_the_structure_of_a_page(text: str):
    renderer = MarkdownIt("gfm-like", {"html": True, "linkify": False})
    page = renderer.render(f"- For: “{inert(text)}” – note\n")
    assert page.count("<") == page.count("<ul>") * 2 + page.count("<li>") * 2
    assert page.startswith("<ul>\n<li>For: ")


@given(st.text(max_size=200))
def test_what_is_seen_is_what_was_written(text: str):
    seen = html.unescape(inert(text)).replace(WORD_JOINER, "")
    assert seen == plain(text).replace(WORD_JOINER, "")


@given(st.text(max_size=200))
def test_no_punctuation_of_ascii_is_left_bare(text: str):
    without_entities = html.unescape(inert(text))
    assert all(c.isalnum() or c in " &#;" or not c.isascii() for c in inert(text))
    assert "://" not in without_entities
    assert "www" not in without_entities.lower()


@given(st.text(max_size=200), st.integers(1, 60), st.integers(6, 120))
def test_shortened_text_is_a_start_within_both_limits(text: str, shown: int, source: int):
    written = inert(text, shown=shown, source=source)
    seen = html.unescape(written).replace(WORD_JOINER, "")
    assert len(written) <= source
    assert len(seen) <= shown
    assert seen == plain(text) or (seen.endswith("…") and plain(text).startswith(seen[:-1]))


def test_no_entity_is_cut():
    assert inert("<<<<<", source=12) == "&#60;&#60;…"
    assert inert("fine, so far", shown=6) == "fine&#44;…"
    assert inert("short", shown=5, source=5) == "short"


@pytest.mark.parametrize("text", ["wwww.evil.example", "www.www.evil.example", "WwWwWw.evil.example"])
def test_no_row_of_w_starts_a_link(text: str):
    assert "www" not in inert(text).lower()


def test_fillers_are_dropped_and_emoji_stay_emoji():
    assert plain("a\u3164\u034f\ufe01b") == "ab"
    assert plain("❤\ufe0f 急\U000e0100诊") == "❤\ufe0f 急诊"


def test_the_readable_text_is_kept():
    assert html.unescape(inert("K+ 6.2 (high!), 体温39.5℃")) == "K+ 6.2 (high!), 体温39.5℃"
