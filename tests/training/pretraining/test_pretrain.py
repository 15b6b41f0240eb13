"""`dxspan-train pretrain`: words are masked whole, the perplexity falls, a killed run goes on, bad rows are named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from nlp_core.bundle_manifest import TOKENIZER
from tests.training.tuning.labelled import encoder, tokenizer
from training.__main__ import main
from training.export_model import base_of
from training.pretraining.masked_blocks import Blocks, word_places
from training.pretraining.site_texts import read_site_texts
from training.tuning.encoders import base_encoder, tokenizer_of
from training.tuning.examples import Examples


def site(folder: Path) -> Path:
    """Notes that say the same two things again and again: easily learned."""
    folder.mkdir()
    random = Random(1)
    notes = [
        " ".join(random.choice(["cough sneezing runny nose", "fever chills aching muscles"]) for _ in range(3 + n % 5))
        + " days" * (n % 7)
        for n in range(300)
    ]
    lines = [json.dumps({"text": note}) for note in notes]
    (folder / "notes.jsonl").write_text(
        "\n".join([*lines[:2], "{torn", "[]", '{"text": ""}', *lines[2:]]) + "\n", "utf-8"
    )
    (folder / "letter.txt").write_text("流感 with fever Zyxwvut", "utf-8")
    (folder / "scan.txt").write_bytes(b"\xff\xfe\xfa")
    return folder


def pretrain(source: Path, out: Path, model: Path, *more: str) -> tuple[int, dict[str, Any]]:
    fixed = ["--longest", "24", "--batch", "8", "--threads", "1", "--report-to", "none", "--learning-rate", "5e-3"]
    status = main(["pretrain", "--from", str(source), "--out", str(out), "--model", str(model), *fixed, *more])
    report = out / "report.json"
    return status, json.loads(report.read_text("utf-8")) if report.exists() else {}


def test_f10_perplexity_falls_and_a_killed_run_goes_on_to_the_same_weights(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, model, out = site(tmp_path / "site"), encoder(tmp_path / "encoder"), tmp_path / "out"
    steps = ["--steps", "30", "--save-every", "10"]
    status, report = pretrain(source, out, model, *steps)
    assert status == 0
    assert report["perplexity_after"] < report["perplexity_before"] / 2
    assert report["head_is_new"]
    assert report["bad_rows"] == 4
    assert (out / "bad-rows.tsv").read_text("utf-8").splitlines() == [
        "notes.jsonl\t3\tnot-json", "notes.jsonl\t4\tno-object", "notes.jsonl\t5\tno-text", "scan.txt\t0\tnot-utf-8",
    ]  # fmt: skip
    assert "left out: notes.jsonl, line 3: not-json" in capsys.readouterr().err
    whole = load_file(out / "encoder" / "model.safetensors")
    shutil.rmtree(out / "encoder")
    shutil.rmtree(out / "checkpoints" / "checkpoint-30")
    assert pretrain(source, out, model, *steps, "--resume")[0] == 0
    again = load_file(out / "encoder" / "model.safetensors")
    assert all((again[name] == tensor).all() for name, tensor in whole.items())
    files = [path for path in out.rglob("*") if path.is_file() and path.name != "report.json"]
    assert not [path.name for path in files if b"zyxwvut" in path.read_bytes().lower()]
    assert base_of(out / "encoder").files  # as `fit --model` and `export-model --model` take it
    assert base_encoder(str(out / "encoder"))[0].config.hidden_size == 32
    status, further = pretrain(source, tmp_path / "further", out / "masked-language-model", "--steps", "1")
    assert status == 0
    assert not further["head_is_new"]
    assert further["perplexity_before"] == pytest.approx(report["perplexity_after"], rel=1e-3)


def test_a_dry_run_estimates_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, model = site(tmp_path / "site"), encoder(tmp_path / "encoder")
    assert pretrain(source, tmp_path / "out", model, "--dry-run")[0] == 0
    said = capsys.readouterr().out
    assert all(word in said for word in ("blocks", "tokens", "steps", "estimated minutes", "unknown share"))
    assert not (tmp_path / "out").exists()


def test_a_tokenizer_without_a_mask_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tests.training.tiny_encoders import save_encoder

    assert pretrain(site(tmp_path / "site"), tmp_path / "out", save_encoder("bert", tmp_path / "model"))[0] == 1
    assert "has no token for masking" in capsys.readouterr().err


def test_words_are_masked_whole_and_chinese_by_the_character() -> None:
    read = tokenizer().encode("coughs 流感 fever")
    places = word_places(read.word_ids)
    joined = [places[n][0] == places[n - 1][1] for n in range(1, len(places))]
    assert read.tokens == ["[CLS]", "cough", "##s", "流", "感", "fever", "[SEP]"]
    assert joined == [False, True, False, False, False, False]


def test_prepared_notes_keep_their_parts(tmp_path: Path) -> None:
    for name in ("train", "development", "test"):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps({"text": f"a {name} note"}) + "\n", "utf-8")
    found = read_site_texts(tmp_path)
    assert found.train == ("a train note",)
    assert found.held_apart == ("a development note",)


def test_a_folder_with_nothing_to_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"holds no \.jsonl"):
        read_site_texts(tmp_path)
    (tmp_path / "a.txt").write_text("one text", "utf-8")
    with pytest.raises(ValueError, match="both need some"):
        read_site_texts(tmp_path)


def test_many_texts_are_read_in_parts_and_come_out_as_one_by_one(tmp_path: Path) -> None:
    words = tokenizer_of(encoder(tmp_path / "encoder") / TOKENIZER)
    texts = [" ".join(["cough", "fever", "days"][n % 3] for _ in range(1 + n % 40)) for n in range(600)]
    alone = [Blocks([text], words, 16) for text in texts]
    assert list(_all(Blocks(texts, words, 16))) == [block for blocks in alone for block in _all(blocks)]
    shares = np.ones((len(texts), 1), np.float32)
    examples = Examples(texts, shares, words, 16)
    assert [row["input_ids"] for row in _all(examples)] == [
        Examples([text], shares[:1], words, 16)[0]["input_ids"] for text in texts
    ]


def _all(rows: Blocks | Examples) -> Iterator[dict[str, Any]]:
    return (rows[place] for place in range(len(rows)))
