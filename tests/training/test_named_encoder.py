"""`--model`: an encoder by folder or by hub id, of each family as hubs publish it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from nlp_core.assess import Reader
from nlp_core.chart_reading import ChartReader
from nlp_core.compose_bundle import compose
from nlp_core.concepts import ConceptReader
from nlp_core.model_bundle import Bundle
from nlp_core.name_index import NameIndex
from nlp_core.onnx_encoder import OnnxEncoder
from nlp_core.second_reader import HeadsUsed, SecondReader
from nlp_core.sentence_readings import SentenceEncoder, SentenceReading
from tests.nlp_core.small_charts import chart_of
from tests.nlp_core.small_knowledge import small_knowledge
from tests.training.hub_server import hub
from tests.training.test_fit import SMALL, assert_composed_reads_as_torch, restored
from tests.training.tiny_encoders import AS_PUBLISHED, LONGEST, save_encoder
from training.export_model import export
from training.model.fit import Training
from training.model.named_encoder import encoder_folder
from training.model.parity_report import PARITY, Parity

REPOSITORY = "hospital/bert"
NOTE = (
    "HPI: It feels like a tight  band.   \nHer cafe\u0301 marks itch 😀!\nCough, chest pain. She gasps at night \n\n  "
    "现病史：夜里胸口发紧。像石头压着！\u3000两腿发沉没劲。咳嗽。"
)
NAMED = {"Cough", "chest pain", "咳嗽"}
UNNAMED = {
    "It feels like a tight  band",
    "Her cafe\u0301 marks itch 😀",
    "She gasps at night",
    "夜里胸口发紧",
    "像石头压着",
    "两腿发沉没劲",
}
LONG = f"She sat up in bed {'again and ' * LONGEST}again, 胸口发紧."


def _export(model: str, out: Path, endpoint: str) -> subprocess.CompletedProcess[str]:
    """As a user does, in a process of its own: huggingface_hub reads where the hub is when it is imported."""
    environment = {**os.environ, "HF_ENDPOINT": endpoint, "HF_HOME": str(out / "cache"), "HF_HUB_OFFLINE": "0"}
    command = [sys.executable, "-m", "training", "export-model", "--model", model, "--out", str(out / "bundle")]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=110, check=False)


def test_an_encoder_comes_from_a_hub_by_its_id_and_revision(tmp_path: Path) -> None:
    folder = save_encoder("bert", tmp_path / "model")
    (folder / "pytorch_model.bin").write_bytes(b"a pickle nobody wants")
    with hub(REPOSITORY, folder) as (endpoint, asked):
        done = _export(f"{REPOSITORY}@main", tmp_path, endpoint)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "bundle" / "manifest.json").is_file()
    assert any("model.safetensors" in path for path in asked)
    assert not any("pytorch_model.bin" in path for path in asked)


def test_a_model_the_hub_does_not_have_is_a_clear_error(tmp_path: Path) -> None:
    with hub(REPOSITORY, save_encoder("bert", tmp_path / "model")) as (endpoint, _):
        done = _export("hospital/absent", tmp_path, endpoint)
    assert done.returncode == 1
    assert "hospital/absent is no folder, and the hub does not give it" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_is_taken_as_it_is(tmp_path: Path) -> None:
    assert encoder_folder(str(tmp_path)) == tmp_path
    assert encoder_folder(None) is None


@pytest.mark.parametrize("name", ["no-such-folder", "a/b/c", "/no/such/folder", "http://hub/a/b"])
def test_what_is_neither_folder_nor_id_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is no folder"):
        encoder_folder(name)


@pytest.mark.parametrize("kind", AS_PUBLISHED)
def test_what_hubs_publish_trains_exports_and_quotes_the_note(kind: str, tmp_path: Path) -> None:
    model = save_encoder(kind, tmp_path / "model")
    recipe = SMALL.model_copy(update={"steps": 2, "measure_every": 2, "rank": 2})
    (tmp_path / "run").mkdir()
    Training(recipe, small_knowledge(), tmp_path / "run", model).run()
    export(tmp_path / "shipped", model=model, trained=tmp_path / "run")
    parity = Parity.model_validate_json((tmp_path / "shipped" / PARITY).read_bytes())
    assert max(one.largest for one in parity.outputs.values()) < 1e-5
    bundle = Bundle.open(compose(tmp_path / "composed", shipped=tmp_path / "shipped", base=model))
    assert_composed_reads_as_torch(bundle, restored(tmp_path / "run", recipe, model))
    sentences = SentenceEncoder(OnnxEncoder.open(bundle), bundle.tokenizer())
    assert_covered(sentences.read([LONG])[0])
    reader, chart = reader_of(bundle, sentences), chart_of(NOTE)
    spans = [mention.span for mention in reader.read(chart).notes[0].mentions]
    assert {NOTE[span.start : span.end] for span in spans} == NAMED | UNNAMED
    candidates = reader.assess(chart).candidates
    evidence = [one for candidate in candidates for one in (*candidate.evidence_for, *candidate.evidence_against)]
    assert evidence
    assert all(one.span and one.quote == NOTE[one.span.start : one.span.end] != "" for one in evidence)


def assert_covered(pieces: Sequence[SentenceReading]) -> None:
    """The pieces of LONG are no longer than the encoder takes, and leave out blanks alone."""
    assert len(pieces) > 1
    assert max(len(piece.starts) for piece in pieces) == LONGEST - 2
    read = {
        place
        for piece in pieces
        for start, end in zip(piece.starts, piece.ends, strict=True)
        for place in range(start, end)
    }
    assert {LONG[place] for place in range(len(LONG)) if place not in read} == {" "}


def reader_of(bundle: Bundle, sentences: SentenceEncoder) -> Reader:
    """Takes every clause for what is nearest, however far: with random weights nothing is near."""
    encoder = OnnxEncoder.open(bundle)
    index = NameIndex.build(small_knowledge(), encoder)
    concepts = ConceptReader(encoder, index, least_likeness={"en": -2, "zh": -2})
    charts = ChartReader(small_knowledge(), SecondReader(concepts, sentences, HeadsUsed(finding=False)))
    return Reader(small_knowledge(), charts, calibration=None, model_version=bundle.model_version)
