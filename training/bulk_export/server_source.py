"""A whole export from a server: begun or found again, waited for, fetched, reported.

Knows the order and what a second run finds of the first: the export's status URL, files that are whole. A file whose URL
has expired is asked for once more by a fresh manifest.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from training.bulk_export.download import Fetched, fetch
from training.bulk_export.failures import ExportFailure, Gone, Refused
from training.bulk_export.job import ExportRequest, KickOff, Waiting, finished, kick_off, pages
from training.bulk_export.manifest import ManifestFile, Page
from training.bulk_export.report import note_bad_rows
from training.bulk_export.server import Server
from training.bulk_export.state import ExportState, is_whole, write_state

EXPIRED = (
    "what is still missing has expired at the server; run the same command with --begin-anew "
    "to kick off another export into this folder, or with --since for what changed after"
)


@dataclass(slots=True)
class ServerExport:
    """One export into one folder."""

    server: Server
    request: ExportRequest
    folder: Path
    state: ExportState
    how: KickOff = "auto"
    parallel: int = 4
    wait_seconds: float = 24 * 3600.0

    def run(self) -> None:
        """Until every file is whole on the disk. Raises ExportFailure; what is finished by then stays and counts."""
        if not self.state.status_url:
            self.state.status_url = kick_off(self.server, self.request, self.how)
            self._keep()  # before anything else: from here on a killed run can go on
        wanted = self._manifest()
        missing = [file for file in wanted if not self._is_finished(file)]
        try:
            expired = self._fetched(missing, len(wanted))
            if expired:  # servers sign URLs anew with each manifest
                again = {(file.kind, file.name): file for file in self._manifest()}
                expired = self._fetched([again[file.kind, file.name] for file in expired], len(wanted))
        except Gone:
            raise ExportFailure(EXPIRED) from None
        if expired:
            raise ExportFailure(EXPIRED)
        self.state.complete = True
        self._keep()

    def _manifest(self) -> list[ManifestFile]:
        """Every file of the export, all pages read."""
        with tqdm(total=100, desc="the server prepares the export", unit="%", disable=None) as bar:

            def tell(waiting: Waiting) -> None:
                bar.update((waiting.percent or bar.n) - bar.n)

            try:
                until = self.server.waits.now() + self.wait_seconds
                first, expires = finished(self.server, self.state.status_url, tell, until=until)
                read = list(self._pages(first, tell))
            except Gone:
                raise ExportFailure(EXPIRED) from None
            bar.update(100 - bar.n)
        if not self.state.transaction_time:
            self.state.transaction_time, self.state.expires = read[0].transaction_time, expires[:60]
            self._keep()
        return [file for page in read for file in page.files]

    def _pages(self, first: Any, tell: Any) -> Iterator[Page]:
        for page in pages(self.server, first, tell):
            if self.state.transaction_time not in ("", page.transaction_time):
                raise ExportFailure("the server answers with another export's manifest; begin anew in another folder")
            yield page

    def _is_finished(self, wanted: ManifestFile) -> bool:
        path = wanted.name if wanted.kind == "output" else f"{wanted.kind}/{wanted.name}"
        found = self.state.files.get(path)
        return found is not None and is_whole(self.folder, found)

    def _fetched(self, wanted: list[ManifestFile], count: int) -> list[ManifestFile]:
        """Fetches side by side; returns those that have expired. Any other failure ends it, once what runs is done."""
        expired: list[ManifestFile] = []
        bar = tqdm(total=count, initial=count - len(wanted), desc="files", unit="file", disable=None)
        stop = threading.Event()
        with bar, ThreadPoolExecutor(self.parallel) as pool:
            running = {pool.submit(self._one, file, stop): file for file in wanted}
            try:
                for done in as_completed(running):
                    self._take(done, running[done], expired, bar)
            except BaseException:
                stop.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return expired

    def _one(self, file: ManifestFile, stop: threading.Event) -> Fetched | None:
        return None if stop.is_set() else fetch(self.server, file, self.folder)

    def _take(self, done: Future[Fetched | None], file: ManifestFile, expired: list[ManifestFile], bar: Any) -> None:
        try:
            found = done.result()
        except Gone:
            expired.append(file)
            return
        except Refused as refused:
            raise ExportFailure(f"{refused}; what is fetched stays, the same command goes on") from None
        if found is not None:
            note_bad_rows(self.folder, self.state, found.file.path, found.bad)
            self.state.files[found.file.path] = found.file
            self._keep()
            bar.update()

    def _keep(self) -> None:
        write_state(self.folder, self.state)
