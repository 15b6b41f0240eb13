"""Every seed, and every input that once was a finding, keeps the readers' promises; the fuzzer itself is `make fuzz`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nlp_core.clinical_document import xml_text
from nlp_core.plain_text import html_text, rtf_text
from tests.fuzz import targets
from tests.fuzz.targets import TARGETS

SEEDS = Path(__file__).parent / "seeds"
ALL = [(name, seed) for name in TARGETS for seed in sorted((SEEDS / name).iterdir())]


@pytest.mark.parametrize(("name", "seed"), ALL, ids=lambda part: getattr(part, "name", part))
def test_every_seed_keeps_the_promises(name: str, seed: Path) -> None:
    TARGETS[name](seed.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
def test_every_target_has_seeds_and_words(name: str) -> None:
    assert len(list((SEEDS / name).iterdir())) >= 7
    lines = (SEEDS / f"{name}.dict").read_text(encoding="utf-8").splitlines()
    assert all(re.fullmatch(r'"(?:[^"\\]|\\\\|\\"|\\x[0-9a-f]{2})+"', line) for line in lines)


@pytest.mark.parametrize(
    ("read", "seed", "words"),
    [
        (rtf_text, "rtf/unicode", "胡痛 胸痛 😀"),
        (html_text, "html/table", "K\t6.2"),
        (xml_text, "clinical_document/sections", "Troponin\t52"),
    ],
)
def test_seeds_reach_what_they_are_for(read, seed: str, words: str) -> None:
    assert words in read((SEEDS / seed).read_text(encoding="utf-8"))


@pytest.mark.parametrize("broken", [lambda _: "\ud800", lambda _: "x" * 5000, lambda _: 1 / 0])
def test_a_broken_promise_is_a_finding(broken, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "html_text", broken)
    with pytest.raises((AssertionError, UnicodeEncodeError, ZeroDivisionError)):
        targets.html(b"<p>x")
