"""The nearest finding by its nearest name and by the centre of all it is called; what is saved is what is loaded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nlp_core.finding_centres import FindingCentres
from nlp_core.name_index import NameIndex
from tests.nlp_core.small_knowledge import small_knowledge
from tests.nlp_core.test_concepts import WordAxes


def test_only_what_patients_say_and_doctors_see_is_in_the_index() -> None:
    encoder = WordAxes()
    NameIndex.build(small_knowledge(), encoder)
    assert {"chest pain", "photophobia", "胸痛"} <= set(encoder.texts)
    assert not {"hyperkalemia", "deep vein thrombosis"} & set(encoder.texts)


def test_an_index_needs_one_vector_per_entry() -> None:
    with pytest.raises(ValueError, match="2 entries for 1 vectors"):
        NameIndex(["cough", "fever"], np.ones((1, 3), np.float32))


def test_the_index_finds_the_same_after_saving(tmp_path: Path) -> None:
    encoder = WordAxes()
    index = NameIndex.build(small_knowledge(), encoder)
    index.save(tmp_path / "names.npz")
    asked = encoder.embed(["ribcage hurts", "queasy"])
    loaded = NameIndex.load(tmp_path / "names.npz").nearest(asked)
    assert (
        [entry for ((entry, _),) in loaded]
        == [entry for ((entry, _),) in index.nearest(asked)]
        == ["chest_pain", "nausea"]
    )
    assert [likeness for ((_, likeness),) in loaded] == pytest.approx([1, 1], abs=1e-3)


def test_the_likest_come_first_and_no_more_than_asked_for() -> None:
    index = NameIndex(["cough", "fever", "rash"], np.stack([unit(1, 0, 0), unit(0, 1, 0), unit(0, 0, 1)]))
    (found,) = index.nearest(unit(0.2, 0.9, 0.5)[None], most=2)
    assert [entry for entry, _ in found] == ["fever", "rash"]
    assert len(index.nearest(unit(1, 0, 0)[None], most=8)[0]) == 3


def unit(*values: float) -> np.ndarray:
    vector = np.array(values, np.float32)
    return vector / np.linalg.norm(vector)


def test_between_two_names_equally_near_the_centre_decides() -> None:
    names = [unit(1, 0, 0), unit(1, 0, 0), unit(0, 1, 0), unit(0, 0, 1)]
    index = NameIndex(["cough", "fever", "fever", "rash"], np.stack(names))
    (((finding, likeness),),) = index.nearest(unit(1, 0, 0)[None])
    assert finding == "cough"
    assert likeness == pytest.approx(1)


def test_a_learned_centre_takes_the_place_of_the_mean_of_names() -> None:
    names = np.stack([unit(1, 0, 0), unit(0, 1, 0)])
    asked = unit(0.6, 0.55, 0.7)[None]
    assert NameIndex(["cough", "fever"], names).nearest(asked)[0][0][0] == "cough"
    assert NameIndex(["cough", "fever"], names, {"fever": unit(0, 0, 1)}).nearest(asked)[0][0][0] == "fever"


def test_a_long_centre_is_nearer_and_is_given_out_as_a_direction() -> None:
    names = np.stack([unit(1, 0), unit(0, 1)])
    index = NameIndex(["cough", "fever"], names, {"fever": 1.5 * unit(0, 1)})
    ((finding, likeness),) = index.nearest(unit(0.7, 0.7)[None])[0]
    assert finding == "fever"
    assert likeness == pytest.approx(1.25 * unit(0.7, 0.7)[1])
    assert np.linalg.norm(index.centres(["fever"]), axis=1) == pytest.approx([1])


def test_the_index_keeps_learned_centres(tmp_path: Path) -> None:
    NameIndex(["cough"], unit(1, 0)[None], {"cough": 1.5 * unit(0, 1)}).save(tmp_path / "names.npz")
    (((_, likeness),),) = NameIndex.load(tmp_path / "names.npz").nearest(unit(0, 1)[None])
    assert likeness == pytest.approx(0.75)


def test_a_finding_of_another_knowledge_among_the_centres_is_left_out() -> None:
    index = NameIndex(["cough"], unit(1, 0)[None], {"unheard_of": unit(0, 1)})
    assert index.nearest(unit(1, 0)[None]) == [[("cough", pytest.approx(1))]]


def test_no_words_have_no_nearest_name() -> None:
    assert NameIndex(["cough"], unit(1, 0)[None]).nearest(np.zeros((0, 2), np.float32)) == []


def test_centres_come_back_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "finding_centres.safetensors"
    FindingCentres.of({"cough": unit(1, 0), "fever": 1.5 * unit(0, 1)}).save(path)
    loaded = FindingCentres.load(path).by_finding()
    assert {finding: centre.tolist() for finding, centre in loaded.items()} == {"cough": [1, 0], "fever": [0, 1.5]}


def test_a_file_that_holds_no_centres_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "finding_centres.safetensors"
    path.write_bytes(b"no tensors")
    with pytest.raises(ValueError, match="holds no centres of findings"):
        FindingCentres.load(path)
