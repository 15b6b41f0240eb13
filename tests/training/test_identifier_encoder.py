"""The encoder that reads beside the identifier head: its windows, what it answers, when it is asked, how it is fitted."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from nlp_core.knowledge_files import read_knowledge
from training.__main__ import main
from training.deidentify.identifier_encoder import encoder as encoder_module
from training.deidentify.identifier_encoder.encoder import (
    Answer,
    IdentifierEncoder,
    Wanted,
    open_encoder,
    shipped_encoder,
)
from training.deidentify.identifier_encoder.pieces import LONGEST, NO_TOKEN, tokenizer_with, windows_of
from training.deidentify.identifier_encoder.second_reader import SecondReader, Weighing, shipped_second_reader
from training.deidentify.identifier_encoder.weights import WORDS, base_file, fitted_tensors
from training.deidentify.identifier_encoder.word_marks import ROWS
from training.deidentify.identifier_head.head import Thresholds, ruled_classes, shipped_weights
from training.deidentify.identifier_head.tokens import Tokens, tokens_of
from training.deidentify.kinds import Found, Kind
from training.deidentify.notes import NoteCleaner, nobody
from training.deidentify.surrogates import Surrogates
from training.deidentify.text_folding import folded
from training.deidentify.vocabulary import vocabulary
from training.identifier_fit.beginning import Beginning, at_the_reading_model, where_a_fit_ended
from training.identifier_fit.encoder_examples import added_characters, examples, further_characters, rows_of
from training.identifier_fit.encoder_fit import HIDDEN_CHARACTER, HIDDEN_WORD, Batches, Plan, chances, fit
from training.identifier_fit.encoder_net import EncoderNet, Shape
from training.identifier_fit.training_notes import MarkedText
from training.identifier_fit.write_encoder import write_encoder
from training.measures.planted_notes import judge, people, planted_notes

PLANTED = Path(__file__).parent / "planted"
KEY = b"a key of a test, thirty-two characters or more"
THRESHOLDS = Thresholds(0.5, 0.5, 0.0, 0.0)
TOKENIZER = tokenizer_with(base_file("tokenizer.json"), added_characters())


@pytest.fixture(scope="module")
def shipped() -> SecondReader:
    return shipped_second_reader(vocabulary())


def torch_tensors(beginning: Beginning) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(value) for name, value in beginning.base().items()}


@pytest.fixture(scope="module")
def base() -> dict[str, torch.Tensor]:
    return torch_tensors(at_the_reading_model())


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(["Zoë Brown's", "张伟，。", "A12-34/5", "\n", ". ", "lying", "x" * 300, "\t", "é"]), max_size=90
    )
)
def test_windows_hold_every_piece_once_and_cut_no_token_that_fits_in_one(words: list[str]) -> None:
    plain = folded(" ".join(words))
    tokens = tokens_of(plain)
    windows = list(windows_of(plain, tokens, TOKENIZER))
    assert all(len(window.ids) == len(window.tokens) <= LONGEST + 2 for window in windows)
    inner = [piece for window in windows for piece in window.ids[1:-1]]
    assert inner == TOKENIZER.encode(plain, add_special_tokens=False).ids
    in_windows = [{token for token in window.tokens if token != NO_TOKEN} for window in windows]
    for one, following in pairwise(in_windows):
        assert all(tokens.ends[token] - tokens.starts[token] > LONGEST for token in one & following)


@pytest.mark.parametrize("complaint", ["Cough", "Fever", "Rash", "Joint Pain", "Hunger", "Chest pain"])
def test_a_complaint_of_a_word_is_nobodys_name(shipped: SecondReader, complaint: str) -> None:
    text = f"# Chief Complaint\n- {complaint}\n\n# History of Present Illness\n"
    assert shipped.judged([(folded(text), [])]) == [[]]


def test_a_paragraph_is_answered_alike_alone_and_among_others(shipped: SecondReader) -> None:
    texts = [
        "Spoke with Ozlemira about the rash.",
        "患者由邻居甄桂枝送来。",
        "BP 120/80, lungs clear.",
        "d/w Quorn re: plan",
    ]
    paragraphs: list[tuple[str, list[Found]]] = [(text, []) for text in texts]
    alone = [shipped.judged([paragraph])[0] for paragraph in paragraphs]
    assert shipped.judged(paragraphs) == alone
    assert shipped.judged(paragraphs[::-1])[::-1] == alone


class Asked:
    """Stands for an encoder that knows one name; notes down which tokens it was asked for."""

    def __init__(self, name: str) -> None:
        self.name, self.read = name, []  # type: ignore[var-annotated]

    def by_window(self, plain: str, tokens: Tokens, _ruled: NDArray[np.int8], wanted: Wanted) -> Iterator[Answer]:
        of = list(range(len(tokens.starts)))
        if wanted(of):
            self.read.append(plain)
            given = np.zeros((len(of), 5), np.float32)
            given[:, 0] = 1
            given[[tokens.forms[at] == self.name for at in of]] = [0, 1, 0, 0, 0]
            yield of, given


def test_only_what_the_head_is_unsure_of_is_read_and_both_are_weighed() -> None:
    asked = Asked("Ozlemira")
    reader = SecondReader(vocabulary(), shipped_weights(), THRESHOLDS, asked, Weighing(1.1, 1.2, 1.0, 1.0))
    text = "Spoke with Ozlemira today."
    sure = reader.judged([(text, [])])
    assert asked.read == []
    reader.weighing = Weighing(0.0, 1.0, 1.0, 1.0)
    assert reader.judged([(text, [])]) == [[Found(11, 19, Kind.NAME)]]
    assert asked.read == [text]
    reader.weighing = Weighing(0.0, 1.0, 0.0, 0.0)
    assert reader.judged([(text, [])]) == sure


@pytest.mark.parametrize(
    "text",
    [
        "Seen with Ozlemira, who agrees. Daughter Vintrusha at bedside, lives in Quorntown.",
        "患者由邻居甄桂枝送来，家住青松岭镇。",
    ],
)
def test_names_on_no_list_are_found_by_both_together(shipped: SecondReader, text: str) -> None:
    cleaned = NoteCleaner(Surrogates(KEY, vocabulary()), head=shipped).clean(text, nobody(None))
    assert not any(said in cleaned.text for said in ("Ozlemira", "Vintrusha", "Quorntown", "甄桂枝", "青松岭"))
    for one in cleaned.moved:
        assert text[: one.start].count("\n") == cleaned.text[: one.new_start].count("\n")


@pytest.mark.parametrize(
    "text",
    [
        "Assessment: Acute on chronic heart failure. Continue Furosemide 40 mg, add Spironolactone. No chest pain.",
        "Wilson disease was excluded. Foley removed. Parkinson's disease stable on Levodopa 100 mg three times daily.",
        "患者无发热，无咳嗽，血压 132/80mmHg，给予阿司匹林100mg，否认药物过敏史。",
    ],
)
def test_diseases_doses_and_denials_stay(shipped: SecondReader, text: str) -> None:
    assert NoteCleaner(Surrogates(KEY, vocabulary()), head=shipped).clean(text, nobody(None)).text == text


def test_notes_by_an_author_whom_nothing_was_fitted_on_lose_what_the_page_says(shipped: SecondReader) -> None:
    """By counts, so that nobody reads what was missed; floors a little under docs/deidentification.md."""
    held = list(planted_notes(PLANTED / "held.txt"))
    cleaner = NoteCleaner(Surrogates(KEY, vocabulary()), head=shipped)
    given = judge(held, people(PLANTED / "patients.ndjson", None), cleaner, None)
    assert given.recall >= 0.92, given.recall
    assert given.lost_share <= 0.03, given.lost_share


def test_files_that_are_not_those_of_their_record_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (encoder_module.CHANGES, encoder_module.GRAPH, encoder_module.RECORD):
        (tmp_path / name).write_bytes((encoder_module.HERE / name).read_bytes())
    assert (tmp_path / encoder_module.CHANGES).stat().st_size <= 10_400_000
    monkeypatch.setattr(encoder_module, "HERE", tmp_path)
    (tmp_path / encoder_module.GRAPH).write_bytes(b"\0")
    with pytest.raises(ValueError, match="checksum"):
        shipped_encoder(vocabulary())


def marked() -> list[MarkedText]:
    return [
        MarkedText(f"Spoke with {name} today.\nNo fever, BP 120/80.", (Found(11, 11 + len(name), Kind.NAME),))
        for name in ("Zorvana", "Bekim", "Tuala", "Oskari") for _ in range(4)
    ]  # fmt: skip


def test_a_window_knows_of_each_piece_its_class_and_what_the_rules_say() -> None:
    (row,) = rows_of(MarkedText("Seen by Dr. Zorvana.", (Found(12, 19, Kind.NAME),)), added_characters())
    pieces = [TOKENIZER.id_to_token(piece) for piece in row.ids]
    first = next(at for at, label in enumerate(row.labels) if label == 1)
    assert pieces[first].startswith("z")
    assert row.ruled[first] == 1
    assert row.labels.count(1) == 1, "the pieces behind the first of a token bear no label"


def answers(reader: IdentifierEncoder, texts: Sequence[MarkedText] = ()) -> NDArray[np.float32]:
    """What a reader says of each token of the texts; of the marked ones where none are given."""
    said = []
    rules = NoteCleaner(Surrogates(KEY, vocabulary()))
    for text in texts or marked():
        plain = folded(text.text)
        tokens = tokens_of(plain)
        ruled = ruled_classes(tokens, rules.ruled(text.text))
        said += [values for _, values in reader.by_window(plain, tokens, ruled, lambda _: True)]
    return np.concatenate(said)


def test_what_is_fitted_and_written_answers_as_it_did_in_fitting(tmp_path: Path, base: dict[str, torch.Tensor]) -> None:
    given = examples(marked(), added_characters())
    net = fit(given, base, ROWS, Plan(Shape(layers=1, rank=4), pieces=128, steps=6))
    learnt = {name: value.detach().numpy() for name, value in net.learnt()}
    write_encoder(
        learnt, at_the_reading_model().beside, tmp_path / encoder_module.CHANGES, tmp_path / encoder_module.GRAPH
    )
    read: IdentifierEncoder = open_encoder(vocabulary(), tmp_path, added_characters())
    assert np.abs(answers(read) - chances(net, given)[given.labels != 255]).max() < 2e-3


def test_a_fit_begins_where_the_shipped_one_ended_and_writes_it_again(tmp_path: Path) -> None:
    """So nothing that it knew is lost when more notes are learnt."""
    begun = where_a_fit_ended(encoder_module.HERE, Shape().rank)
    words = torch.from_numpy(begun.learnt_words)
    net = EncoderNet(torch_tensors(begun), ROWS, Shape(), words)
    assert begun.learnt is not None
    assert set(begun.learnt) == {name for name, _ in net.learnt()}
    write_encoder(begun.learnt, begun.beside, tmp_path / encoder_module.CHANGES, tmp_path / encoder_module.GRAPH)
    shipped, again = (fitted_tensors(folder / encoder_module.CHANGES) for folder in (encoder_module.HERE, tmp_path))
    for name, value in shipped.items():
        assert np.abs(value - again[name]).max() <= 2e-4 * np.abs(value).max(), name
    given = examples(marked(), begun.characters)
    nothing = Plan(pieces=128, steps=1, rate=0, own_rate=0)
    further = fit(given, torch_tensors(begun), ROWS, nothing, learnt_words=words, start=begun.learnt)
    assert np.abs(answers(shipped_encoder(vocabulary())) - chances(further, given)[given.labels != 255]).max() < 2e-3
    with pytest.raises(ValueError, match="rank 80"):
        where_a_fit_ended(encoder_module.HERE, 80)


CHINESE_NOTES = [
    MarkedText(f"患者由{name}陪同，住饕餮镇。", (Found(3, 5, Kind.NAME),)) for name in ("甄饕", "龘饕", "饕龘") * 3
]


def test_characters_that_nobody_knew_get_rows_and_what_is_learnt_of_them_is_read(tmp_path: Path) -> None:
    further = further_characters(CHINESE_NOTES, read_knowledge(), 10_000, seed=1)
    assert {"饕", "龘", "餮"} <= set(further)
    assert not set(further) & set(added_characters())
    assert further_characters(CHINESE_NOTES, read_knowledge(), 5, seed=1) == further[:5]

    begun = at_the_reading_model(further[:40] + "饕龘")
    tokenizer = tokenizer_with(base_file("tokenizer.json"), begun.characters)
    assert tokenizer.encode("饕龘", add_special_tokens=False).ids == [30522 + 40, 30522 + 41]
    given, words = examples(CHINESE_NOTES, begun.characters), torch.from_numpy(begun.learnt_words)
    assert tokenizer.token_to_id("饕") in given.ids.tolist()
    net = fit(given, torch_tensors(begun), ROWS, Plan(Shape(1, 4), pieces=64, steps=6), learnt_words=words)
    learnt = {name: value.detach().numpy() for name, value in net.learnt()}
    place = begun.learnt_words.tolist().index(tokenizer.token_to_id("饕"))
    assert not np.array_equal(learnt["word_vectors"][place], begun.base()[WORDS][30522 + 40])
    write_encoder(learnt, begun.beside, tmp_path / encoder_module.CHANGES, tmp_path / encoder_module.GRAPH)
    with pytest.raises(ValueError, match="other notes"):
        write_encoder(
            learnt, at_the_reading_model().beside, tmp_path / encoder_module.CHANGES, tmp_path / encoder_module.GRAPH
        )
    read = open_encoder(vocabulary(), tmp_path, begun.characters)
    assert np.abs(answers(read, CHINESE_NOTES) - chances(net, given)[given.labels != 255]).max() < 2e-3


def test_a_hidden_character_is_read_as_one_that_no_row_is_there_for() -> None:
    given = examples(CHINESE_NOTES, added_characters())
    batches = Batches(given, torch.device("cpu"), 0)
    torch.manual_seed(0)
    windows = np.arange(len(batches.lengths))
    plain, hidden = (batches.of(windows, hide=hide)[0][0] for hide in (False, True))
    assert set(hidden[hidden != plain].tolist()) <= {HIDDEN_CHARACTER, HIDDEN_WORD}
    assert HIDDEN_CHARACTER in hidden[hidden != plain].tolist()
    assert TOKENIZER.token_to_id("[UNK]") == HIDDEN_CHARACTER
    assert TOKENIZER.token_to_id("[MASK]") == HIDDEN_WORD


def test_a_fit_that_was_stopped_goes_on_to_what_it_would_have_been(
    tmp_path: Path, base: dict[str, torch.Tensor]
) -> None:
    given, plan = examples(marked(), added_characters()), Plan(Shape(layers=1, rank=4), pieces=128, steps=6)
    whole = fit(given, base, ROWS, plan)

    class Stop(Exception):
        """Somebody pulled the plug."""

    def stop(step: int, _: float) -> None:
        if step == 5:
            raise Stop

    kept = tmp_path / "unfinished.pt"
    with pytest.raises(Stop):
        fit(given, base, ROWS, plan, told=stop, kept=kept, keep_every=2)
    gone_on = fit(given, base, ROWS, plan, kept=kept, keep_every=2)
    for (name, value), (_, other) in zip(whole.learnt(), gone_on.learnt(), strict=True):
        assert torch.equal(value, other), name


def test_an_untrained_net_begins_as_the_base(base: dict[str, torch.Tensor]) -> None:
    net = EncoderNet(base, ROWS, Shape(layers=1, rank=4))
    linear = net.layers[0].linear[0]
    assert torch.equal(linear.whole(), base["encoder.layer.0.attention.self.query.weight"])
    full = EncoderNet(base, ROWS, replace(Shape(layers=1), rank=0))
    assert sum(value.numel() for _, value in full.learnt()) > 3 * sum(value.numel() for _, value in net.learnt())


def export(folder: Path) -> Path:
    source = folder / "export"
    source.mkdir()
    patient = {"resourceType": "Patient", "id": "p", "name": [{"family": "Okonkwo", "given": ["Theodora"]}]}
    (source / "Patient.000.ndjson").write_text(json.dumps(patient))
    notes = []
    for number, said in enumerate(("coughs", "sleeps", "walks", "eats", "has pain", "is well") * 2):
        text = f"Theodora {said}. Discussed with Ozlemira, who agrees.\n\nDaughter Vintrusha at bedside, lives in Quorntown."
        content = [{"attachment": {"contentType": "text/plain", "data": base64.b64encode(text.encode()).decode()}}]
        notes.append({"resourceType": "DocumentReference", "id": f"n{number}", "status": "current", "content": content, "subject": {"reference": "Patient/p"}})  # fmt: skip
    (source / "DocumentReference.000.ndjson").write_text("\n".join(map(json.dumps, notes)))
    (folder / "key").write_text("one key for all these tests, long enough")
    return source


def arguments(source: Path, out: Path, *more: str) -> list[str]:
    given = ["deidentify", "--in", str(source), "--out", str(out), "--key-file", str(source.parent / "key")]
    return [*given, "--profile", "safe-harbor", "--as-of", "2026-01-01", "--part-bytes", "800", *more]


def test_a_run_with_the_encoder_that_was_killed_goes_on_to_the_same_bytes_and_no_other_readers_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = export(tmp_path)
    assert main(arguments(source, tmp_path / "whole", "--reader", "encoder")) == 0
    killed = arguments(source, tmp_path / "killed", "--reader", "encoder")
    process = subprocess.Popen([sys.executable, "-m", "training", *killed])
    parts = tmp_path / "killed.work" / "parts"
    while process.poll() is None and not list(parts.glob("*.done")):
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert main(arguments(source, tmp_path / "killed")) == 1
    assert "reader" in capsys.readouterr().err
    assert main(killed) == 0
    read = [{path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("whole", "killed")]
    assert read[0] == read[1]
    decoded = b"".join(base64.b64decode(json.loads(line)["content"][0]["attachment"]["data"]) for line in read[0]["DocumentReference.000.ndjson"].splitlines())  # fmt: skip
    assert not any(name in decoded for name in (b"Ozlemira", b"Vintrusha", b"Quorntown", b"Theodora"))
