"""The benchmark of encoders of the usual size goes the whole way, in a tiny size, and says what it found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="training needs torch (make setup-test)")
from benchmarks import base_encoders  # noqa: E402
from benchmarks.made_encoders import FAMILIES, Family  # noqa: E402
from benchmarks.own_process import Taken, in_own_process  # noqa: E402

TINY = {"vocab_size": 600, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}


def tiny_roberta() -> object:
    from transformers import RobertaConfig, RobertaForMaskedLM

    return RobertaForMaskedLM(RobertaConfig(**TINY, max_position_embeddings=514, type_vocab_size=1))


def test_an_encoder_goes_from_a_folder_to_a_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def here(work: Callable[..., object], *args: object) -> Taken[object]:
        return Taken(work(*args), 1.0, 100.0)

    monkeypatch.setattr(base_encoders, "in_own_process", here)
    monkeypatch.setattr(base_encoders, "english_texts", lambda: ["chest pain", "a cough"])
    family = Family("tiny", 600, tiny_roberta, FAMILIES[1].words)
    found = base_encoders.measure(family, tmp_path, steps=1)
    assert found.clauses.right == found.clauses.count > 10
    assert found.evidence.right == found.evidence.count > 0
    assert max(found.largest.values()) < 1e-4
    written = "\n".join(base_encoders.page([found, found], 1))
    assert "| | tiny | tiny |" in written
    assert "| `export-model` | 1 s, 100 MiB | 1 s, 100 MiB |" in written
    assert f"| clauses quoted exactly | {found.clauses.count} of {found.clauses.count} |" in written


def held(mebibytes: int) -> int:
    return len(bytes(2**20) * mebibytes)


def test_a_process_of_its_own_tells_what_it_held() -> None:
    little, much = in_own_process(held, 1), in_own_process(held, 200)
    assert much.result == 200 * 2**20
    assert much.peak_mib - little.peak_mib == pytest.approx(199, abs=20)


def test_what_fails_in_a_process_of_its_own_is_raised() -> None:
    with pytest.raises(TypeError):
        in_own_process(len, 5)  # type: ignore[arg-type]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_vocabularies_are_of_their_familys_kind(family: Family) -> None:
    tokenizer = family.words(["chest pain", "a cough"] * 3, 1400)
    encoded = tokenizer.encode("chest pain 胸")
    assert encoded.special_tokens_mask[0] == encoded.special_tokens_mask[-1] == 1
    chinese = [token for token, (start, end) in zip(encoded.tokens, encoded.offsets, strict=True) if end == 12]
    assert chinese == ["[UNK]"] if family.name == "BERT-base" else len(chinese) == 3
