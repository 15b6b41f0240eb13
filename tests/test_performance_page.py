"""The performance page says what was met, what was missed and what could not be measured; calls are timed from when they were due."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from benchmarks.__main__ import PARTS, about, page, run
from benchmarks.cached_calls import Cached, told
from benchmarks.calls_at_once import http_request
from benchmarks.new_charts import NewChart
from benchmarks.peers import section as beside_peers
from benchmarks.performance_plots import draw
from benchmarks.section import Aim, Options, Section, percentile, shipped_model
from benchmarks.steady_calls import Timed, call_steadily, calls_per_second
from nlp_core.model_bundle import Bundle, composed_bundle_path

STANDS_STILL_SECONDS = 0.3


def test_an_aim_is_met_at_its_limit_whichever_way_it_is_meant() -> None:
    assert Aim("latency", 50, 50, "ms").met
    assert not Aim("latency", 50.1, 50, "ms").met
    assert Aim("rate", 2, 2, at_least=True).met
    assert not Aim("rate", 1.9, 2, at_least=True).met
    assert not Aim("rate", 0, 2, at_least=True).met


def test_a_missed_aim_says_so_on_the_page() -> None:
    written = page([Section("Queue", ["words"], [Aim("queue", 9.7, 4), Aim("rate", 3, 2, at_least=True)])], [], "about")
    assert "1 of 2 met" in written
    assert "| queue | 9.70 | ≤ 4 | missed |" in written
    assert "| rate | 3.00 | ≥ 2 | met |" in written
    assert "## Queue\n\nwords" in written


def test_the_page_names_the_model_and_links_the_encoders_aims() -> None:
    written = page([Section("Queue", ["words"], [Aim("queue", 3, 4)])], [], about(shipped_model(), 60.0, 0.5, 1.0))
    assert f"Model {Bundle.open(composed_bundle_path()).model_version}, " in written
    for other in ("encoders.md", "text_pipeline.md"):
        assert f"[{other}]({other})" in written
        assert (Path("docs") / other).is_file()


def test_no_ratio_is_given_where_the_caller_itself_was_late() -> None:
    def times(*of: tuple[float, float]) -> list[Timed]:
        return [Timed(200, milliseconds, late, {"cards": []}) for milliseconds, late in of]

    calls = times(*[(8.0, 0.5)] * 200)
    section = told(Cached(calls, times(*[(2.0, 0.5)] * 180, *[(90.0, 85.0)] * 20)))
    assert "| 50 | 8.0 ms | 2.0 ms | 4.0 |" in section.lines
    assert "| 95 | 8.0 ms | 90.0 ms | – |" in section.lines
    assert any(line.startswith("–: the caller itself was late") for line in section.lines)
    assert any("under a deadline of 30 s" in line for line in section.lines)
    in_time = told(Cached(calls, times(*[(2.0, 0.5)] * 200)))
    assert "–" not in "".join(in_time.lines)


def test_a_part_that_fails_is_named_and_costs_the_others_nothing() -> None:
    def fails(_: Options) -> Section:
        raise TimeoutError("nothing happened")

    sections = run({"first": fails, "second": lambda _: Section("Second", ["found"])}, Options())
    assert [section.title for section in sections] == ["first", "Second"]
    assert "## first\n\nNot measured: TimeoutError." in page(sections, [], "")


def test_every_part_can_be_run_alone() -> None:
    for name, measure in PARTS.items():
        assert measure.__module__ == f"benchmarks.{name}"
        assert "alone(section" in Path(f"benchmarks/{name}.py").read_text("utf-8")


def test_peers_that_are_not_installed_are_named_as_absent(tmp_path: Path) -> None:
    section = beside_peers(Options(peers_python=tmp_path / "python"))
    assert section.lines[0].startswith("Not measured: HealthChain is not installed")
    assert not section.aims


def test_plots_hold_what_the_sections_measured(tmp_path: Path) -> None:
    aims = [Aim("met & fast", 10, 50, "ms"), Aim("missed", 9.7, 4), Aim("far off", 4000, 4)]
    section = Section("Calls", [], aims, {"cached": [1.0, 2.0, 30.0]}, {"every note new": [3.0] * 21})
    plots = draw([section, Section("nothing to draw", ["words"])], tmp_path / "performance.md")
    assert [name for name, _ in plots] == [f"performance_{what}.svg" for what in ("aims", "latency", "long_chart")]
    assert all((tmp_path / name).read_text("utf-8").startswith("<?xml") for name, _ in plots)
    drawn = (tmp_path / "performance_aims.svg").read_text("utf-8")
    assert "met &amp; fast" in drawn
    assert "9.70 of 4" in drawn
    assert not draw([Section("nothing to draw", ["words"])], tmp_path / "other.md")


@pytest.mark.parametrize(("percent", "expected"), [(50, 500.5), (95, 950.05), (99, 990.01)])
def test_percentiles(percent: float, expected: float) -> None:
    assert percentile([float(n) for n in range(1, 1001)], percent) == pytest.approx(expected, abs=0.1)


def test_a_percentile_that_too_few_values_can_tell_is_the_largest() -> None:
    assert percentile([1.0, 2.0, 9.0], 99) == 9.0


def test_a_server_that_stands_still_is_charged_for_each_call_it_kept_waiting() -> None:
    with server(stand_still=1) as port:
        answers = call_steadily(port, [http_request(b"{}")] * 8, per_second=40)
    assert [answer.status for answer in answers] == [200] * 8
    # Due 25 ms apart while the server stood still for 300: a caller that waits for each answer would see one slow call.
    assert sum(answer.milliseconds > 100 for answer in answers) >= 5


def test_calls_one_after_another_are_counted_by_the_second_and_none_may_fail() -> None:
    with server(stand_still=3) as port:
        assert 0 < calls_per_second(port, [http_request(b"{}")] * 3, clients=2) <= 1 / STANDS_STILL_SECONDS
        with pytest.raises(ValueError, match="answered 501"):
            calls_per_second(port, [http_request(b"{}").replace(b"POST", b"PUT")], clients=1)


def test_a_marked_chart_is_new_to_every_memory_and_says_the_same() -> None:
    chart = NewChart(54.0, "female", ("Cough for three days.", "Sore throat."))
    one, other = chart.marked(), chart.marked()
    assert one.texts != other.texts
    assert all(text.endswith(same) for text, same in zip(one.texts, chart.texts, strict=True))
    assert one.chart().notes[0].text == one.texts[0]
    ids = {call.request()["prefetch"]["patient"]["id"] for call in (one, one, other)}
    assert len(ids) == 3


@contextmanager
def server(*, stand_still: int = 0) -> Iterator[int]:
    """Answers one call at a time, the first `stand_still` of them late; yields its port."""
    left, one_at_a_time = [stand_still], threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # connections stay open

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            with one_at_a_time:
                time.sleep(STANDS_STILL_SECONDS * bool(left[0]))
                left[0] = max(0, left[0] - 1)
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            """Not into the tests' output."""

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.daemon_threads = True
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    try:
        yield running.server_address[1]
    finally:
        running.shutdown()
        thread.join()
