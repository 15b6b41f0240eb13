"""`python -m docs.knowledge_pages [--write FOLDER]` (`make knowledge-pages`): every diagnosis as a page, and an index.

Reads the YAML, not the composed model: an editor sees a change at once.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from tqdm import tqdm

from docs.knowledge_pages.bars import bars_of
from docs.knowledge_pages.words import LANGUAGES, label, specialty_name
from nlp_core.check_knowledge import thinnest
from nlp_core.knowledge import Diagnosis, Knowledge
from nlp_core.knowledge_files import KNOWLEDGE_FOLDER, KnowledgeError, read_knowledge

HERE = Path(__file__).parent
DEFAULT = HERE.parents[1] / "var" / "knowledge"


def write_pages(knowledge: Knowledge, folder: Path) -> int:
    """Writes `<language>/<diagnosis>.html` and `<language>/index.html` below `folder`; returns how many pages."""
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals.update(label=label, specialty_name=specialty_name)
    pages = list(_pages(knowledge, environment))
    for language in LANGUAGES:
        (folder / language).mkdir(parents=True, exist_ok=True)
    shutil.copyfile(HERE / "style.css", folder / "style.css")
    for path, text in tqdm(pages, desc="pages", unit="page", disable=None):
        (folder / path).write_text(text, encoding="utf-8")
    return len(pages)


def _pages(knowledge: Knowledge, environment: Environment) -> Iterator[tuple[str, str]]:
    page, index = environment.get_template("diagnosis.html.jinja"), environment.get_template("index.html.jinja")
    used_by = _rivals(knowledge)
    for language in LANGUAGES:
        other = next(name for name in LANGUAGES if name != language)
        common = {"language": language, "other": other, "knowledge": knowledge}
        for diagnosis in knowledge.diagnoses.values():
            bars = bars_of(diagnosis, knowledge, language)
            yield (
                f"{language}/{diagnosis.id}.html",
                page.render(diagnosis=diagnosis, bars=bars, rivals=used_by.get(diagnosis.id, []), **common),
            )
        specialties: dict[str, list[Diagnosis]] = {}
        for diagnosis in sorted(knowledge.diagnoses.values(), key=lambda entry: entry.names.en[0].lower()):
            specialties.setdefault(diagnosis.specialty, []).append(diagnosis)
        yield (
            f"{language}/index.html",
            index.render(specialties=dict(sorted(specialties.items())), thinnest=thinnest(knowledge), **common),
        )


def _rivals(knowledge: Knowledge) -> dict[str, list[Diagnosis]]:
    """Diagnosis -> those that name it among what they are confused with."""
    rivals: dict[str, list[Diagnosis]] = {}
    for diagnosis in knowledge.diagnoses.values():
        for other in diagnosis.confused_with:
            rivals.setdefault(other, []).append(diagnosis)
    return rivals


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m docs.knowledge_pages", description=__doc__)
    parser.add_argument("--write", type=Path, default=DEFAULT, help="folder (default: var/knowledge)")
    parser.add_argument("--knowledge", type=Path, default=KNOWLEDGE_FOLDER, help="folder of the YAML files")
    options = parser.parse_args()
    try:
        count = write_pages(read_knowledge(options.knowledge), options.write)
    except KnowledgeError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{count} pages; open {options.write / 'en' / 'index.html'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
