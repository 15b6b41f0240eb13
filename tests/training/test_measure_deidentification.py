"""The page of the de-identification's figures sets each beside its aim, for both readers."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from training.deidentify.kinds import Kind
from training.measures.deidentification_speed import Speed
from training.measures.measure_deidentification import Measured, _lines
from training.measures.planted_notes import HELD, Outcome

SPEED = Speed(
    text={"head": 0.998, "encoder": 0.24},
    new_text={"head": 0.3, "encoder": 0.04},
    structured=11.9,
    bare=258,
    collecting=46,
    leak_test=4.9,
    peak=400,
    peak_of_many=412,
    peak_of_encoder=624,
)


def outcome(found: int, lost: int) -> Outcome:
    """Of 1000 identifiers and 10,000 other words."""
    return Outcome(Counter({Kind.NAME: 1000}), Counter({Kind.NAME: found}), 10_000, lost)


MEASURED = Measured(
    shipped={("safe-harbor", HELD, "English"): outcome(881, 277)},
    readers={
        ("head", HELD, "English"): outcome(881, 277),
        ("encoder", HELD, "English"): outcome(990, 200),
        ("head", HELD, "Chinese"): outcome(989, 201),
        ("encoder", HELD, "Chinese"): outcome(995, 150),
    },
    ablated={},
    speed=SPEED,
)


def aims(measured: Measured) -> list[str]:
    page = "\n".join(_lines(measured, ""))
    section = page.partition("## Beside the aims\n")[2].partition("\n## ")[0]
    return [line for line in section.splitlines() if line.startswith("|")][2:]


def test_every_figure_stands_beside_its_aim() -> None:
    assert aims(MEASURED) == [
        "| identifiers wholly found, English | head | ≥ 99 % | 88.1 % | missed |",
        "| identifiers wholly found, English | encoder | ≥ 99 % | 99 % | met |",
        "| identifiers wholly found, Chinese | head | ≥ 99 % | 98.9 % | missed |",
        "| identifiers wholly found, Chinese | encoder | ≥ 99 % | 99.5 % | met |",
        "| other words lost, English | head | ≤ 2 % | 2.77 % | missed |",
        "| other words lost, English | encoder | ≤ 2 % | 2 % | met |",
        "| other words lost, Chinese | head | ≤ 2 % | 2.01 % | missed |",
        "| other words lost, Chinese | encoder | ≤ 2 % | 1.5 % | met |",
        "| notes cleaned | head | ≥ 1 MB/s | 1 MB/s | met |",
        "| notes cleaned | encoder | ≥ 1 MB/s | 0.24 MB/s | missed |",
        "| coded resources cleaned | either | ≥ 12 MB/s | 11.9 MB/s | missed |",
        "| memory growth on 8 times the export | head | ≤ 5 % | 3 % | met |",
    ]


def test_the_table_stands_before_all_others_and_tells_no_speed_that_was_not_measured() -> None:
    page = "\n".join(_lines(MEASURED, ""))
    assert page.index("## Beside the aims") < page.index("## The readers beside the rules")
    assert len(aims(replace(MEASURED, speed=None))) == 8
