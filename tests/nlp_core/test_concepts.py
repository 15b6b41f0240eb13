"""Clauses that no name explains are matched to the nearest name, only where the likeness is clear."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest

from nlp_core.batches import Batch
from nlp_core.bundle_errors import BundleError
from nlp_core.concepts import ConceptReader
from nlp_core.encoder import Encoder, Vectors
from nlp_core.mentions import Mention, MentionReader
from nlp_core.model_bundle import Bundle, composed_bundle_path
from nlp_core.name_index import NameIndex
from nlp_core.note import Note
from nlp_core.onnx_encoder import OnnxEncoder
from nlp_core.reading_trust import ConceptTrust, ReadingTrust
from tests.nlp_core.small_knowledge import small_knowledge

MEANINGS = (
    {"chest", "breast", "ribcage"},
    {"pain", "hurts", "aches", "aching"},
    {"light", "photophobia", "brightness"},
    {"eyes", "photophobia"},
    {"nausea", "queasy"},
    {"dyspnea", "breathless", "air"},
)
"""One axis of the space each: words that mean the same to `WordAxes`."""


class WordAxes:
    """An encoder a reader can compute by hand: a text lies between the axes of the words it holds."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    @property
    def width(self) -> int:
        return len(MEANINGS)

    def encode(self, batch: Batch) -> Vectors:
        raise NotImplementedError("nobody asks for token vectors here")

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.texts += texts
        counts = [[float(len(axis & set(text.lower().split()))) for axis in MEANINGS] for text in texts]
        vectors = np.array(counts, np.float32).reshape(len(texts), self.width)
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


@cache
def names_reader() -> MentionReader:
    return MentionReader(small_knowledge())


def find(text: str, encoder: Encoder | None = None, least: float = 0.68) -> list[Mention]:
    """Mentions of the clauses of a note, by an encoder over the small knowledge."""
    encoder = encoder or WordAxes()
    reader = ConceptReader(
        encoder, NameIndex.build(small_knowledge(), encoder), least_likeness=dict.fromkeys(("en", "zh"), least)
    )
    _, sentences = names_reader().read(text, sex="unknown", age_years=None)
    return reader.find(sentences)


def clauses_read(text: str) -> list[str]:
    encoder = WordAxes()
    index = NameIndex.build(small_knowledge(), encoder)
    encoder.texts.clear()
    ConceptReader(encoder, index).find(names_reader().read(text, sex="unknown", age_years=None)[1])
    return encoder.texts


def test_other_words_for_it_are_the_finding() -> None:
    (mention,) = find("She says her ribcage hurts.")
    assert (mention.about, mention.entry, mention.via) == ("finding", "chest_pain", "concept")


def test_the_clause_is_quoted_exactly() -> None:
    note = Note(reference="DocumentReference/1", text="No cough;\r\nher rib\u200bcage hurts 🤕, she says.")
    (mention,) = find(note.text)
    assert note.quote(mention.span) == "her rib\u200bcage hurts 🤕"


@pytest.mark.parametrize("text", ["The weather was fine on Monday.", "Light sea air eased her chest."])
def test_what_is_like_no_name_enough_is_nothing(text: str) -> None:
    assert find(text) == []


def test_how_clear_is_clear_enough_is_given() -> None:
    text = "her eyes mind brightness and ribcage pain"  # borders: two clauses, each like one name
    assert {mention.entry for mention in find(text, least=0.99)} == {"photophobia", "chest_pain"}
    assert find("her eyes feel breathless", least=0.9) == []


@pytest.mark.parametrize(
    ("text", "assertion"),
    [
        ("She has no aching ribcage.", "absent"),
        ("Denies that her ribcage hurts.", "absent"),
        ("Come back if the ribcage hurts.", "conditional"),
        ("Her mother's ribcage hurts.", "family"),
        ("Her ribcage hurts.", "present"),
    ],
)
def test_a_ruling_word_rules_the_clause(text: str, assertion: str) -> None:
    assert [(mention.entry, str(mention.assertion)) for mention in find(text)] == [("chest_pain", assertion)]


@pytest.mark.parametrize("heading", ["Family history:", "Allergies:", "Plan:", "Medications:"])
def test_sections_that_are_not_about_complaints_are_skipped(heading: str) -> None:
    assert find(f"{heading}\nHer ribcage hurts.") == []


def test_clauses_end_at_commas_and_joining_words_and_tell_no_sex() -> None:
    assert clauses_read("She felt queasy today, could not sleep but her ribcage hurts.") == [
        "they felt queasy today",
        "could not sleep",
        "their ribcage hurts",
    ]


def test_what_a_name_explains_is_not_read_again() -> None:
    assert clauses_read("Bad chest pain since Monday, went home.") == ["went home"]


@pytest.mark.parametrize(
    "text", ["Today.", "in the of at", "疼，难受。", "一切正常平稳。", "1 2 3 4", "word " * 17 + ".", ""]
)
def test_what_is_too_short_too_long_or_normal_is_not_read(text: str) -> None:
    assert clauses_read(text) == []


def test_a_concept_is_trusted_as_far_as_it_is_like_its_finding_and_its_finding_is_common() -> None:
    encoder = WordAxes()
    index = NameIndex.build(small_knowledge(), encoder)
    trust = ReadingTrust(concept=ConceptTrust(base={"en": 0, "zh": 0}, likeness={"en": 2, "zh": 2}, commonness=1))

    def trusted(text: str, background: float) -> float:
        reader = ConceptReader(encoder, index, {"chest_pain": background}, trust, least_likeness={"en": 0.1, "zh": 0.1})
        (mention,) = reader.find(names_reader().read(text, sex="unknown", age_years=None)[1])
        return mention.trust

    assert trusted("her ribcage hurts", 0.1) > trusted("her ribcage hurts", 0.001)
    assert trusted("her ribcage hurts", 0.1) > trusted("her ribcage hurts when breathless", 0.1)


def test_the_shipped_encoder_knows_what_patients_mean() -> None:
    try:
        bundle = Bundle.open(composed_bundle_path())
    except BundleError as error:
        pytest.skip(f"no composed bundle: {error}")
    encoder = OnnxEncoder.open(bundle, threads=1)
    text = "Her muscles ache all over. She feels sick to her stomach. The weather was fine on Monday."
    assert [mention.entry for mention in find(text, encoder, least=0.6)] == ["body_aches", "nausea"]


def test_chinese_clauses_are_read_between_their_commas() -> None:
    assert clauses_read("今早胸口像压了石头，走路就喘不上气；一切正常。") == ["今早胸口像压了石头", "走路就喘不上气"]
