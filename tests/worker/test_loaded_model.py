"""One reader per process, loaded once, and the real one where its bundle is there."""

from __future__ import annotations

import gc
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nlp_core.assessment import Assessment
from tests.worker.conftest import Queue, chart_of, read
from tests.worker.plain_reader import PlainReader
from worker.loaded_model import LoadedModel, bundle_reader

NOTE = (
    "62-year-old man with crushing substernal chest pain radiating to the left arm for two hours, sweating and nausea. "
    "Known hypertension, smoker. ECG shows ST elevation in II, III and aVF. Troponin elevated. Denies cough and fever."
)


def test_threads_that_ask_together_get_the_same_reader() -> None:
    loads = []

    def load() -> PlainReader:
        loads.append(threading.get_ident())
        time.sleep(0.05)
        return PlainReader()

    model = LoadedModel(load)
    assert not model.loaded
    with ThreadPoolExecutor(4) as threads:
        readers = set(threads.map(lambda _: id(model.reader), range(8)))
    assert len(readers) == len(loads) == 1
    assert model.loaded


def test_a_failed_load_is_tried_again_by_the_next_who_asks() -> None:
    tries = []

    def load() -> PlainReader:
        tries.append(1)
        if len(tries) == 1:
            raise OSError("not there yet")
        return PlainReader()

    model = LoadedModel(load)
    with pytest.raises(OSError, match="not there yet"):
        _ = model.reader
    assert model.reader is not None


def test_the_collector_leaves_a_loaded_model_alone() -> None:
    """It would look through all of it every dozen charts, and hold a reading up meanwhile."""

    class Large(PlainReader):
        def __init__(self) -> None:
            super().__init__()
            self.kept = [[place] for place in range(10_000)]

    gc.unfreeze()
    assert LoadedModel(Large).reader is not None
    assert gc.get_freeze_count() >= 10_000
    gc.unfreeze()


def test_a_missing_bundle_is_an_error_that_names_it(tmp_path: Path) -> None:
    pytest.importorskip("nlp_core.model_bundle")
    with pytest.raises(Exception, match="nowhere"):
        bundle_reader(tmp_path / "nowhere")()


def composed_bundle() -> Path:
    bundles = pytest.importorskip("nlp_core.model_bundle")
    path: Path = bundles.composed_bundle_path()
    if not path.exists():
        pytest.skip("set-up has not composed the model here")
    return path


def test_the_real_reader_answers_through_the_queue_as_it_does_in_process(own_queue: Queue) -> None:
    path = composed_bundle()
    own_queue.start_worker(module="worker")
    chart = chart_of(NOTE)
    reading = read(own_queue.settings(), chart, seconds=20)
    expected: Assessment = bundle_reader(path)().assess(chart)
    assert reading.degraded is None
    assert reading.assessment == expected
    assert expected.candidates
    assert read(own_queue.settings(), chart, seconds=20).cached
