r"""Three faults that fuzzing found in the RTF library, each as small as it can be."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest

from nlp_core.plain_text import rtf_text
from nlp_core.rtf_repairs import for_striprtf
from nlp_core.unreadable import Unreadable

LINK = r"{\rtf1 {\field{\*\fldinst{"


def test_uc_without_a_number_means_one() -> None:
    assert rtf_text(r"{\rtf1\uc Chest \u32993? pain\uc\tab x}") == "Chest 胡 pain\tx"


def test_an_escaped_backslash_begins_no_control_word() -> None:
    assert rtf_text(r"{\rtf1 C:\\uc and C:\\fldinst\{ are folders}") == r"C:\uc and C:\fldinst{ are folders"


def test_a_link_gives_its_words() -> None:
    link = LINK + r' HYPERLINK "https://example.org/?mrn=1"}}{\fldrslt { the report}}} of today}'
    assert rtf_text(link) == " the report of today"


def test_each_font_brings_its_own_character_set() -> None:
    fonts = r"{\fonttbl{\f0\fswiss Arial;}{\f1\fnil\fcharset134 SimSun;}{\f2\fcharset204 A\};}}"
    assert rtf_text(rf"{{\rtf1\ansi{fonts}\f1 \'d0\'d8\f0 \'e8\f2 \'e8}}") == "胸èи"


def test_what_is_no_rtf_stays_as_it_is() -> None:
    assert for_striprtf(r"no brace \uc2") == r"no brace \uc2"


@pytest.mark.parametrize(
    "hostile",
    [
        LINK + 'HYPERLINK "a"}}{' + " " * 50_000,
        LINK.removeprefix(r"{\rtf1 ") * 4000,
        r"{\rtf1{\fonttbl" + r"{\f0\fcharset0 " * 4000,
        r"{\rtf1\fonttbl" + r"\f0\fcharset0 " * 4000 + "}",
        r"{\rtf1 " + r"\fldinst{\fonttbl" * 4000,
    ],
    ids=["blanks-in-a-link", "links", "fonts", "fonts-without-group", "both"],
)
def test_c21_patterns_of_the_rtf_library_are_kept_from_their_worst_cases(hostile: str) -> None:
    began = time.process_time()
    with suppress(Unreadable):
        rtf_text(hostile)
    assert time.process_time() - began < 2  # of the processor, with coverage counting; minutes without the repairs
