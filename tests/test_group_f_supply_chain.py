"""Row F8: what is installed is locked by hash, is in the bill of materials, and is known to be sound where one can ask."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from cyclonedx.model.bom import Bom
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from requirements.locks import FOLDER, SHIPPED, TOOLS, NotLocked, locked_in, read_lock
from requirements.sbom import WRITTEN, bill
from tests.server_thread import ServerThread
from worker.local_redis import free_port

ROOT = FOLDER.parent
LOCKS = (*SHIPPED, *TOOLS)
HASH = "--hash=sha256:" + "0" * 64
ADDRESS = re.compile(r"(://|\bwww\.|git\+|@ |--(extra-)?index-url|--find-links|--trusted-host|^-[ef]\b)", re.MULTILINE)


def test_every_lock_file_is_known() -> None:
    assert {path.name for path in FOLDER.glob("*.lock")} == set(LOCKS)


@pytest.mark.parametrize("name", LOCKS)
def test_f08_every_line_is_one_exact_version_with_its_hashes(name: str) -> None:
    locked = locked_in(name)
    assert locked
    assert all(one.hashes for one in locked)
    assert len({one.name for one in locked}) == len(locked)


@pytest.mark.parametrize("name", LOCKS)
def test_f08_no_lock_file_says_where_to_download_from(name: str) -> None:
    assert not ADDRESS.search((FOLDER / name).read_text("utf-8"))


@pytest.mark.parametrize(
    "line",
    [
        f"requests>=2 {HASH}",
        f"requests==2.* {HASH}",
        f"requests {HASH}",
        "requests==2.32.0",
        "requests==2.32.0 --hash=md5:" + "0" * 32,
        f"requests==2.32.0 {HASH[:-1]}",
        f"requests @ https://example.org/requests.whl {HASH}",
        f"https://example.org/requests.whl {HASH}",
        f"git+https://example.org/requests {HASH}",
        "-e .",
        "-r other.txt",
        "--extra-index-url https://example.org/simple",
        "--find-links /somewhere",
        f"requests==2.32.0 {HASH} --trusted-host example.org",
    ],
)
def test_f08_a_line_that_is_not_locked_is_refused(line: str) -> None:
    with pytest.raises(NotLocked):
        read_lock(f"# a lock\n{line}\n")


def test_f08_what_the_project_asks_for_is_locked_and_nothing_is_installed_without_hashes() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = {re.split(r"[\[>=<;]", one)[0].replace(".", "-") for one in project["dependencies"]}
    assert wanted <= {one.name for one in locked_in("run.lock")}
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert "LOCKED := --no-deps --require-hashes" in makefile
    installs = [line for line in makefile.splitlines() if "$(PIP)" in line and "PIP :=" not in line]
    assert installs
    assert all("$(LOCKED)" in line or line.strip().endswith("--editable .") for line in installs)


def test_f08_what_two_locks_share_has_one_version() -> None:
    versions: dict[str, set[str]] = {}
    for name in LOCKS:
        for one in locked_in(name):
            versions.setdefault(one.name, set()).add(one.version.partition("+")[0])
    assert not {name: found for name, found in versions.items() if len(found) > 1}


def test_f08_the_bill_of_materials_is_what_the_locks_say() -> None:
    assert WRITTEN.read_text("utf-8") == bill(), "the locks have changed: `make sbom`, and look at its diff"


def test_f08_the_bill_is_read_by_cyclonedx_and_names_every_distribution() -> None:
    document = json.loads(WRITTEN.read_text("utf-8"))
    bom = Bom.from_json(document)  # type: ignore[attr-defined]  # added by a decorator
    assert bom.validate()
    named = {(one.name, one.version) for one in bom.components}
    assert named == {(one.name, one.version) for file in LOCKS for one in locked_in(file)}
    required = {one["name"] for one in document["components"] if one["scope"] == "required"}
    assert required == {one.name for file in SHIPPED for one in locked_in(file)}
    assert not {"torch", "transformers", "pytest"} & required


@pytest.fixture
def service() -> Iterator[tuple[str, dict[str, list[Any]]]]:
    """A vulnerability service as OSV's; what it knows, by name, a test fills in."""
    known: dict[str, list[Any]] = {}

    async def query(request: Request) -> JSONResponse:
        asked = await request.json()
        return JSONResponse({"vulns": known.get(asked["package"]["name"], [])})

    port = free_port()
    config = uvicorn.Config(
        Starlette(routes=[Route("/", query, methods=["POST"])]), port=port, log_config=None, ws="none"
    )
    with ServerThread(uvicorn.Server(config)):
        yield f"http://127.0.0.1:{port}/", known


def audit(url: str, lock: Path, *options: str) -> subprocess.CompletedProcess[str]:
    own = ["--lock", str(lock), *options, "--", "--vulnerability-service", "osv", "--osv-url", url]
    command = [sys.executable, "-m", "requirements.audit", *own]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "few.lock"
    path.write_text(f"# two\nidna==3.11 \\\n    {HASH}\nsniffio==1.3.1 \\\n    {HASH}\n")
    return path


def test_f08_a_known_vulnerability_fails_the_audit_and_is_named(
    service: tuple[str, dict[str, list[Any]]], lock: Path
) -> None:
    url, known = service
    assert audit(url, lock).returncode == 0
    fixed = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.12"}]}]
    affected = [{"package": {"name": "idna", "ecosystem": "PyPI"}, "ranges": fixed}]
    known["idna"] = [{"id": "CVE-2099-0001", "modified": "2099-01-01T00:00:00Z", "affected": affected}]
    done = audit(url, lock)
    assert done.returncode == 1
    assert "idna 3.11: CVE-2099-0001" in done.stdout
    assert "2 audited, 1 vulnerable" in done.stdout


def test_f08_an_audit_that_could_not_ask_says_so_and_never_that_all_is_well(lock: Path) -> None:
    nobody = f"http://127.0.0.1:{free_port()}/"
    done = audit(nobody, lock)
    assert "NOT AUDITED" in done.stdout
    assert "0 vulnerable" not in done.stdout
    assert done.returncode == 0
    assert audit(nobody, lock, "--must-reach").returncode == 3
