from __future__ import annotations

import importlib.util
from pathlib import Path

from cds_hooks.settings import Settings
from worker.settings import WorkerSettings

ROOT = Path(__file__).parents[1]


def written():
    spec = importlib.util.spec_from_file_location("settings_page", ROOT / "docs" / "settings_page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_the_code_says():
    assert (ROOT / "docs" / "settings.md").read_text(encoding="utf-8") == written().page(), "run `make docs`"


def test_every_setting_is_on_the_page_with_a_word_of_what_it_is_for():
    module = written()
    described = {
        name: description
        for _, path, classes in module.SOURCES
        for name, _, description in module.settings_of((ROOT / path).read_text(encoding="utf-8"), classes)
    }
    for model in (Settings, WorkerSettings):
        for field in model.model_fields:
            assert described.get(f"DXSPAN_{field.upper()}"), field
