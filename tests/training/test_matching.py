"""The case matcher is taught by cases: they are whole, name no diagnosis, and what is learned tells charts apart."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from nlp_core.assertion import Assertion
from nlp_core.assess import Reader
from nlp_core.case_matcher import FIGURES
from nlp_core.knowledge_files import read_knowledge
from nlp_core.mentions import MentionReader
from nlp_core.model_bundle import Bundle, composed_bundle_path
from tests.training.prepared_notes import coded, write, written_note
from training.matching.case_readings import ReadCase
from training.matching.cases import FOLDER, STYLES, TrainingCase, read_cases
from training.matching.diagnosis_texts import diagnosis_vectors
from training.matching.fit_matcher import Asked, Fitting, answered, is_apart
from training.matching.network import learned
from training.measures import own_cases
from training.site.prepared_folders import Site

WIDTH = 8


@cache
def cases() -> list[TrainingCase]:
    return read_cases()


def test_every_diagnosis_has_cases_and_no_case_is_of_none() -> None:
    count = Counter(case.diagnosis for case in cases())
    assert count.keys() == read_knowledge().diagnoses.keys()
    assert min(count.values()) >= 1
    assert sum(count.values()) >= 4000


def test_no_text_stands_twice_nor_among_the_texts_for_measuring() -> None:
    texts = [case.text for case in cases()]
    assert len(texts) == len(set(texts))
    for path in sorted(own_cases.FOLDER.glob("*.jsonl")):
        assert not set(texts) & {case.en for case in own_cases.read_cases(path)}


def test_a_case_names_not_its_own_diagnosis() -> None:
    bundle = Bundle.open(composed_bundle_path())
    reader = MentionReader(bundle.knowledge(), bundle.lexicons(), bundle.spelling())
    for case in cases()[::40]:
        mentions, _ = reader.read(case.text, sex="unknown", age_years=None)
        named = [one for one in mentions if one.about == "diagnosis" and one.entry == case.diagnosis]
        assert not [one for one in named if one.assertion is Assertion.PRESENT], case.text


def test_one_case_of_each_diagnosis_is_kept_apart() -> None:
    apart = Counter(case.diagnosis for case in cases() if is_apart(case))
    assert max(apart.values()) == 1
    assert len(apart) > 0.98 * len({case.diagnosis for case in cases()})


def test_a_line_that_is_no_case_is_told_by_file_and_line(tmp_path: Path) -> None:
    good = (FOLDER / "sleep.jsonl").read_text("utf-8").splitlines()[0]
    (tmp_path / "own.jsonl").write_text(good + "\n" + good.replace('"style"', '"kind"') + "\n", "utf-8")
    with pytest.raises(ValueError, match=r"own\.jsonl, line 2"):
        read_cases(tmp_path)


def test_a_folder_without_cases_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no cases"):
        read_cases(tmp_path)


def test_cases_of_unknown_diagnoses_are_left_out() -> None:
    assert {case.diagnosis for case in read_cases(known={"gout"})} == {"gout"}


def read_case(diagnosis: int, noise: np.random.Generator) -> ReadCase:
    """Four sentences, more than serving leaves to findings: three along the diagnosis's axis, one that says nothing."""
    sentences = noise.normal(0, 0.05, (4, WIDTH)) + np.eye(WIDTH)[[diagnosis] * 3 + [WIDTH - 1]]
    beside = np.zeros((4, FIGURES))
    return ReadCase(np.zeros(3, np.float32), np.concatenate([sentences, beside], axis=1, dtype=np.float32))


def test_what_was_learned_tells_apart_what_findings_do_not() -> None:
    noise = np.random.default_rng(0)
    diagnoses = [place % 3 for place in range(240)]
    taught = [read_case(one, noise) for one in diagnoses]
    matcher = learned(taught, diagnoses, np.ones((3, WIDTH), np.float32), seed=0).matcher(["a", "b", "c"], "heads")
    categories = np.array(["A00", "B00", "C00"])
    asked = [Asked(read_case(one, noise), frozenset({str(categories[one])})) for one in (0, 1, 2) * 5]
    assert answered(asked, categories, matcher.of(["a", "b", "c"])).first == 1
    assert answered(asked, categories, None).first < 0.5


def test_the_same_seed_teaches_the_same() -> None:
    taught = [read_case(place % 3, np.random.default_rng(place)) for place in range(30)]
    first, second = (
        learned(taught, [place % 3 for place in range(30)], np.ones((3, WIDTH), np.float32), seed=4).matcher("abc", "")
        for _ in range(2)
    )
    said = list(taught[0].figures)
    np.testing.assert_array_equal(first.moved(said), second.moved(said))


def test_diagnoses_begin_where_the_knowledge_describes_them() -> None:
    knowledge = read_knowledge()

    def embed(texts: object) -> np.ndarray:
        return np.array([[len(text) % 7 + 1, len(text) % 5 + 1] for text in texts], np.float32)  # type: ignore[attr-defined]

    vectors = diagnosis_vectors(knowledge, embed)
    assert vectors.shape == (len(knowledge.diagnoses), 14)
    assert np.isfinite(vectors).all()


def test_a_sites_own_notes_teach_what_their_words_mean_there(tmp_path: Path) -> None:
    bundle = Bundle.open(composed_bundle_path())
    fitting = Fitting(bundle, Reader.load(calibrated=False), seed=0)
    words = "The wheel has turned the blue way round since breakfast and the little bell keeps quiet."
    notes = [
        written_note(words, note=f"{place:016x}", split=split).model_copy(update={"diagnoses": (coded("gout"),)})
        for place, split in enumerate(("train", "train", "development"))
    ]
    site = Site("ward", write(tmp_path / "prepared", notes))
    shipped = fitting.cases([case for case in cases() if case.diagnosis in ("asthma", "psoriasis", "migraine")])
    taught = fitting.site_notes([site], "train", most=10)
    assert [one.diagnosis for one in taught] == [fitting.place["gout"]] * 2
    asked = fitting.site_asked([site], most=10)
    _, before = fitting.both_ways(asked, fitting.matcher(shipped))
    _, after = fitting.both_ways(asked, fitting.matcher([*shipped, *taught]))
    assert after.loss < before.loss - 1


def test_styles_are_the_ones_that_cases_have() -> None:
    assert {case.style for case in cases()} == set(STYLES)
