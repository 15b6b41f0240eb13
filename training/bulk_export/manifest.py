"""What a finished export consists of, page by page, as the server's manifest says.

Knows the Bulk Data Access guide from STU2 on: `output`, `deleted`, `error` (`outcome` in the newer one) and the `next` link
to a further page. Read leniently: unknown fields are passed over, a file without URL is an error.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from training.bulk_export.failures import ExportFailure

Kind = Literal["output", "deleted", "error"]
_LISTS: dict[Kind, tuple[str, ...]] = {"output": ("output",), "deleted": ("deleted",), "error": ("error", "outcome")}
_TYPE = re.compile(r"[A-Z][A-Za-z]{1,63}")
MOST_PAGES = 10_000


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """One file to fetch. `name` is ours: by kind, type and place, the same each time the manifest is read."""

    kind: Kind
    name: str
    type: str
    """Resource type of every row; "" where the output is organised otherwise."""
    url: str
    count: int | None
    """Rows, as declared."""
    token: bool
    """The server wants the access token for it."""


@dataclass(frozen=True, slots=True)
class Page:
    """One manifest."""

    transaction_time: str
    files: tuple[ManifestFile, ...]
    next_url: str


class ManifestReader:
    """Reads the pages of one export in order, so that names count on from page to page."""

    def __init__(self) -> None:
        self._named: Counter[tuple[Kind, str]] = Counter()

    def page(self, value: Any) -> Page:
        """Raises ExportFailure for what is no manifest."""
        if not isinstance(value, Mapping) or not isinstance(value.get("output"), list):
            raise ExportFailure("the server's manifest is no manifest: it holds no list `output`")
        moment = value.get("transactionTime")
        token = value.get("requiresAccessToken") is not False
        return Page(
            transaction_time=moment if isinstance(moment, str) and len(moment) <= 40 else "",
            files=tuple(self._files(value, token)),
            next_url=_next(value.get("link")),
        )

    def _files(self, manifest: Mapping[str, Any], token: bool) -> Iterator[ManifestFile]:
        for kind, names in _LISTS.items():
            for entry in (entry for name in names for entry in _list(manifest.get(name))):
                url = entry.get("url")
                if not isinstance(url, str) or not url:
                    raise ExportFailure(f"the server's manifest lists a file under `{kind}` without its url")
                said = entry.get("type")
                known = said if isinstance(said, str) and _TYPE.fullmatch(said) else ""
                count = entry.get("count")
                place = self._named[kind, known]
                self._named[kind, known] += 1
                yield ManifestFile(
                    kind=kind,
                    name=f"{known or 'output'}.{place:03}.ndjson",
                    type=known if kind == "output" else "",
                    url=url,
                    count=count if isinstance(count, int) and not isinstance(count, bool) else None,
                    token=token,
                )


def _list(value: object) -> list[Mapping[str, Any]]:
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []


def _next(links: object) -> str:
    for link in _list(links):
        url = link.get("url")
        if link.get("relation") == "next" and isinstance(url, str):
            return url
    return ""
