"""The end of a tuning: measured on texts it has not seen, reported, saved, exported where asked.

Knows the files of the output folder. Where the gate against forgetting is shut, reports are written and no classifier.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from training.tuning.continual import Gate
from training.tuning.export_classifier import ExportPrecision, export
from training.tuning.inputs import Inputs
from training.tuning.labelled_texts import of_labels
from training.tuning.measured import measured, report_text
from training.tuning.run import Tuned

REPORT, REPORT_TEXT = "report.json", "classification_report.txt"


def finish(out: Path, tuned: Tuned, gate: Gate | None, inputs: Inputs, precision: ExportPrecision | None) -> int:
    """Exit status: 1 where more was forgotten than allowed. Raises ValueError where the graph does not answer as torch does."""
    test, _ = of_labels(inputs.test, tuned.labels)
    right = [tuned.labels.index(example.label) for example in test]
    texts = [example.text for example in test]
    answered = tuned.answers(texts)
    written = report_text(right, answered, tuned.labels)
    passed = gate is None or gate.passed
    page: dict[str, Any] = {
        "texts": inputs.counts(),
        "bad_rows": len(inputs.bad),
        **measured(right, answered, tuned.labels).model_dump(mode="json"),
        "training": tuned.figures.model_dump(mode="json") if tuned.figures else None,
        "gate": {**gate.model_dump(mode="json"), "passed": passed} if gate else None,
        "options": tuned.options.model_dump(mode="json"),
        "onnx": None,
    }
    if passed:
        tuned.save(out)
    if passed and precision:
        page["onnx"] = export(tuned, out, precision, texts).model_dump()
    (out / REPORT).write_text(json.dumps(page, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (out / REPORT_TEXT).write_text(written, encoding="utf-8")
    print(written)
    if gate:
        print(gate)
    print(out / REPORT)
    return 0 if passed else 1
