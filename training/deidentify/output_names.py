"""What a file of the export is called in the output, in the report and on the screen: its own name may name a patient.

Input : the export's files     Output: their names outside of it
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

_FILE_NAME = re.compile(r"([A-Z][A-Za-z]+)((?:\.\d{1,9})*)\.ndjson(?:\.gz)?")


def output_names(files: Iterable[Path], types: frozenset[str]) -> dict[str, str]:
    """The file's own name where it is a resource type and numbers; any other becomes `resources.<number>.ndjson`.

    The number is the file's place among the export's by name, from 0, as `LC_ALL=C ls *.ndjson *.ndjson.gz` lists them, without
    log.ndjson.
    """
    return {file.name: _output_name(file.name, number, types) for number, file in enumerate(files)}


def _output_name(file: str, number: int, types: frozenset[str]) -> str:
    match = _FILE_NAME.fullmatch(file)
    return (
        f"{match.group(1)}{match.group(2)}.ndjson"
        if match and match.group(1) in types
        else f"resources.{number:03d}.ndjson"
    )
