"""The entry that docs/knowledge.md adds as its example is added as it stands there, and is found in notes."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from nlp_core.assess import Reader
from nlp_core.chart import Chart
from nlp_core.chart_reading import ChartReader
from nlp_core.check_knowledge import faults
from nlp_core.knowledge import Knowledge
from nlp_core.knowledge_files import KNOWLEDGE_FOLDER, read_knowledge
from nlp_core.note import Note

PAGE = Path(__file__).resolve().parents[2] / "docs" / "knowledge.md"
ADDED = "bladder_stone"
ENGLISH = (
    "A 71-year-old man with months of pain above the pubic bone. His urine stream stops suddenly and comes again when he "
    "shifts, there is blood at the end of urination, and he passes urine often. No flank pain."
)
CHINESE = "男，71岁，耻骨上疼痛数月，排尿时尿流突然中断，改变体位后又能排出，终末血尿，尿频。无腰痛、发热。"


@pytest.fixture(scope="module")
def with_the_example(tmp_path_factory: pytest.TempPathFactory) -> Knowledge:
    """The real knowledge with the entry of the page appended as an editor would append it."""
    folder = tmp_path_factory.mktemp("knowledge") / "knowledge_base"
    shutil.copytree(KNOWLEDGE_FOLDER, folder)
    (block,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    with (folder / "diagnoses" / "nephrology_urology.yaml").open("a", encoding="utf-8") as entries:
        entries.write("\n" + block)
    return read_knowledge(folder)


def test_the_example_is_one_new_diagnosis(with_the_example: Knowledge) -> None:
    before = read_knowledge()
    assert set(with_the_example.diagnoses) - set(before.diagnoses) == {ADDED}
    assert with_the_example.findings == before.findings


def test_the_example_brings_no_fault(with_the_example: Knowledge) -> None:
    assert set(faults(with_the_example)) <= set(faults(read_knowledge()))


@pytest.mark.parametrize("text", [ENGLISH, CHINESE])
def test_a_note_that_describes_it_ranks_it_first(with_the_example: Knowledge, text: str) -> None:
    added = with_the_example.diagnoses[ADDED]
    assert not any(name.lower() in text.lower() for name in (*added.names.en, *added.names.zh))
    reader = Reader(with_the_example, ChartReader(with_the_example, None), calibration=None, model_version="test")
    chart = Chart(as_of=datetime(2026, 7, 1, tzinfo=UTC), notes=(Note(reference="DocumentReference/1", text=text),))
    assessment = reader.assess(chart)
    assert assessment.silence is None
    assert assessment.candidates[0].diagnosis == ADDED
