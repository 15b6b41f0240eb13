"""`--presidio`: another package's recognizers beside ours. Presidio is not installed; a package of its name and its calls is."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.training.deidentify_runs import KEY, arguments, everything, note, resources, write_lines
from training.__main__ import main
from training.deidentify.recognizers import PACKAGE

RECOGNIZERS = """
import re
from types import SimpleNamespace

class _Recognizer:
    def analyze(self, text, entities, nlp_artifacts):
        assert entities == self.supported_entities
        return [SimpleNamespace(start=one.start(), end=one.end(), score=self.score) for one in re.finditer(self.pattern, text)]

class CryptoRecognizer(_Recognizer):
    supported_entities, pattern, score = ["CRYPTO"], "wallet-[a-z]+", 1.0

class UsBankRecognizer(_Recognizer):
    supported_entities, pattern, score = ["US_BANK_NUMBER"], "leg-[a-z]+", 0.4

class MedicalLicenseRecognizer:
    supported_entities = ["MEDICAL_LICENSE"]

    def analyze(self, text, entities, nlp_artifacts):
        return None
"""


@pytest.fixture
def export(tmp_path: Path) -> Path:
    folder = tmp_path / "export"
    folder.mkdir()
    (tmp_path / "key").write_text(KEY)
    write_lines(folder / "DocumentReference.ndjson", [note(1, "-", "Cough since then, wallet-kestrel, leg-ulcer.")])
    return folder


def words_out(folder: Path) -> str:
    return everything(resources(folder))


def test_what_the_package_is_sure_of_is_replaced_only_where_it_is_asked_for(
    export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "installed" / PACKAGE
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("from . import predefined_recognizers\n")
    (package / "predefined_recognizers.py").write_text(RECOGNIZERS)
    monkeypatch.syspath_prepend(package.parent)
    assert main(arguments(export, tmp_path / "ours")) == 0
    assert "wallet-kestrel, leg-ulcer" in words_out(tmp_path / "ours")
    try:
        assert main(arguments(export, tmp_path / "both", "--presidio")) == 0
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
            del sys.modules[name]
    assert "kestrel" not in words_out(tmp_path / "both")
    assert "leg-ulcer" in words_out(tmp_path / "both")


@pytest.mark.skipif(find_spec(PACKAGE) is not None, reason=f"{PACKAGE} is installed")
def test_without_the_package_the_run_says_what_it_needs(
    export: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(export, tmp_path / "out", "--presidio")) == 1
    assert "needs the package presidio-analyzer, which is not installed" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
