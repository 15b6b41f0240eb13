"""`dxspan-train export` from a server: over real HTTP, with everything that a server's export may do."""

from __future__ import annotations

import base64
import json
import logging
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.training.bulk_server import Bulk, rows, serving
from training.__main__ import main
from training.bulk_export.backend_services import BackendServices, discover, read_signing_key
from training.bulk_export.failures import ExportFailure, Refused
from training.bulk_export.job import ExportRequest
from training.bulk_export.server import Server, http_client
from training.bulk_export.server_source import ServerExport
from training.bulk_export.state import ExportState, read_state
from training.bulk_export.waits import Waits

PATIENTS = rows({"resourceType": "Patient", "id": "p1"}, {"resourceType": "Patient", "id": "p2"})
CONDITIONS = [rows({"resourceType": "Condition", "id": f"c{n}"}) for n in range(3)]
SECRETS = ("secret-", "Zebulon", "8005551", "signature=", "client_assertion", "Bearer")


def bulk(**manners: Any) -> Bulk:
    return Bulk({"Patient": [PATIENTS], "Condition": CONDITIONS}, **manners)


def key_file(folder: Path, kind: str = "ES384") -> tuple[Path, Any]:
    private: Any = ec.generate_private_key(ec.SECP384R1()) if kind == "ES384" else rsa.generate_private_key(65537, 2048)
    path = folder / "key.pem"
    path.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)
    return path, private.public_key()


def export(server: Bulk, out: Path, *options: str) -> int:
    return main(["export", "--from", server.base, "--out", str(out), *options])


def exporting(server: Bulk, out: Path, slept: list[float], **options: Any) -> ServerExport:
    """An export whose waits are written down instead of waited for."""
    out.mkdir(exist_ok=True)
    waits = Waits(sleep=slept.append)
    connection = Server(server.base, http_client(), waits=waits)
    return ServerExport(connection, options.pop("request", ExportRequest()), out, ExportState(request="r"), **options)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.ndjson"))


ALONE = """
from argparse import ArgumentParser
from training.bulk_export.command import COMMAND
parser = ArgumentParser()
COMMAND.add_arguments(parser)
COMMAND.run(parser.parse_args())
"""
"""The command in a process of its own, without what other commands import."""
ALL = ["Condition.000.ndjson", "Condition.001.ndjson", "Condition.002.ndjson", "Patient.000.ndjson"]


def test_a_server_is_exported_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(bulk(busy=2)) as server:
        assert export(server, tmp_path / "out") == 0
    assert names(tmp_path / "out") == ALL
    assert (tmp_path / "out" / "Patient.000.ndjson").read_bytes() == PATIENTS
    report = json.loads((tmp_path / "out" / "export-report.json").read_text())
    assert report["complete"]
    assert report["transaction_time"] == "2026-11-20T10:00:00Z"
    assert [file["rows"] for file in report["files"]] == [1, 1, 1, 2]
    assert "Condition                           3 resources" in capsys.readouterr().out
    assert server.kicked_off[0]["_outputFormat"] == ["application/fhir+ndjson"]
    assert "DocumentReference" in server.kicked_off[0]["_type"][0]
    assert not (tmp_path / "out").stat().st_mode & 0o077
    assert not any(path.stat().st_mode & 0o077 for path in (tmp_path / "out").iterdir())


def test_a_server_of_the_newer_guide_is_begun_by_post(tmp_path: Path) -> None:
    server = bulk(newer=True, errors=rows({"resourceType": "OperationOutcome", "issue": []}))
    with serving(server):
        options = (
            "--level",
            "Group-1",
            "--since",
            "2026-01-01T00:00:00Z",
            "--filter",
            "Condition?code=1",
            "--patient",
            "p1",
        )
        assert export(server, tmp_path, *options) == 0
    asked = {p["name"]: p for p in server.kicked_off[0]["parameters"]}
    assert asked["_since"]["valueInstant"] == "2026-01-01T00:00:00Z"
    assert asked["_typeFilter"]["valueString"] == "Condition?code=1"
    assert asked["patient"]["valueReference"] == {"reference": "Patient/p1"}
    assert server.asked_for("kick-off") == ["POST /fhir/Group/Group-1/$export"]
    assert (tmp_path / "error" / "OperationOutcome.000.ndjson").is_file()


def test_a_get_that_is_refused_becomes_a_post(tmp_path: Path) -> None:
    with serving(bulk(newer=True)) as server:
        assert export(server, tmp_path, "--level", "system") == 0
    assert server.asked_for("kick-off") == ["GET /fhir/$export", "POST /fhir/$export"]


def test_every_page_of_a_manifest_is_read(tmp_path: Path) -> None:
    with serving(bulk(files_per_page=1)) as server:
        assert export(server, tmp_path, "--partial-manifests") == 0
    assert server.kicked_off[0]["allowPartialManifests"] == ["true"]
    assert names(tmp_path) == ALL
    assert [json.loads((tmp_path / f"Condition.00{n}.ndjson").read_text())["id"] for n in range(3)] == [
        "c0",
        "c1",
        "c2",
    ]


def test_waits_are_the_servers_else_ever_longer(tmp_path: Path) -> None:
    slept: list[float] = []
    with serving(bulk(busy=2, retry_after="17")) as server:
        server.hiccups["kick-off"] = deque([(429, {"Retry-After": "9"}), (503, {})])
        server.hiccups["status"] = deque([(503, {}), (500, {}), (502, {}), (429, {"Retry-After": "4"})])
        exporting(server, tmp_path, slept).run()
    assert slept[0] == 9
    assert 1 <= slept[1] <= 2
    assert slept.count(17) == 2
    assert 4 in slept


def test_files_that_are_asked_for_too_often_are_had_later(tmp_path: Path) -> None:
    slept: list[float] = []
    with serving(bulk()) as server:
        server.hiccups["file"] = deque(
            [(429, {"Retry-After": "11"}), (503, {"Retry-After": "3"}), (503, {}), (502, {})]
        )
        exporting(server, tmp_path, slept, parallel=1).run()
    assert names(tmp_path) == ALL
    assert slept[:2] == [11, 3]
    assert len(slept) == 4
    assert len(server.asked_for("file")) == len(ALL) + 4


def test_files_that_are_never_given_end_the_export_and_the_next_run_has_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(bulk()) as server:
        server.hiccups["file"] = deque([(429, {"Retry-After": "0"})] * 40)
        assert export(server, tmp_path, "--parallel", "1") == 1
        assert "the server answers 429 (throttled)" in capsys.readouterr().err
        server.hiccups["file"].clear()
        assert export(server, tmp_path) == 0
        assert len(server.asked_for("kick-off")) == 1
    assert names(tmp_path) == ALL


def test_what_a_server_does_not_know_is_refused_unless_it_may_pass_over_it(tmp_path: Path) -> None:
    with serving(bulk()) as server:
        assert export(server, tmp_path / "strict", "--types", "Patient,Starship") == 1
        assert export(server, tmp_path / "lenient", "--types", "Patient,Starship", "--lenient") == 0


@pytest.mark.parametrize("with_key", [False, True], ids=["nobody", "client"])
def test_a_dry_run_begins_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str], with_key: bool) -> None:
    path, public = key_file(tmp_path)
    options = ("--client-id", "data-team", "--key", str(path)) if with_key else ()
    with serving(bulk(public_key=public if with_key else None)) as server:
        assert export(server, tmp_path / "out", "--dry-run", *options) == 0
        said = capsys.readouterr().out
        assert "would ask for Patient/$export" in said
        assert "the server lists the operation" in said
        assert ("takes the client's key" in said) == with_key
        assert not server.asked_for("kick-off")
        assert not (tmp_path / "out").exists()
        assert export(server, tmp_path / "out", *options) == 0
        assert export(server, tmp_path / "out", "--dry-run", *options) == 0
    assert "holds an export, complete: 4 files" in capsys.readouterr().out
    assert len(server.asked_for("kick-off")) == 1


def test_a_dry_run_finds_a_key_that_the_server_does_not_take(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, _ = key_file(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    with serving(bulk(public_key=key_file(other)[1])) as server:
        assert export(server, tmp_path / "out", "--dry-run", "--client-id", "data-team", "--key", str(path)) == 1
    assert "invalid_client" in capsys.readouterr().err


def test_a_dry_run_of_a_folder_counts_its_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "a.ndjson").write_bytes(PATIENTS)
    (source / "b.json").write_text("{}")
    assert main(["export", "--from", str(source), "--out", str(tmp_path / "out"), "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "would take over 2 files" in said
    assert ".ndjson            1 files" in said
    assert not (tmp_path / "out").exists()


def test_retry_after_may_be_a_date_and_is_bounded() -> None:
    slept: list[float] = []
    waits = Waits(sleep=slept.append, now=lambda: 1_800_000_000.0)
    moment = datetime.fromtimestamp(1_800_000_120, UTC)
    assert waits.wait(format_datetime(moment, usegmt=True), 0) == 120
    assert waits.wait("999999999", 0) == 3600
    assert waits.wait("Thu, 01 Jan 1970 00:00:00 GMT", 0) == 0
    assert 60 <= waits.wait("soon", 30) <= 120


def test_a_failed_export_says_so_without_the_servers_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(bulk()) as server:
        server.hiccups["kick-off"] = deque([(400, {})])
        assert export(server, tmp_path) == 1
    said = capsys.readouterr().err
    assert "the kick-off: the server answers 400 (invalid)" in said
    assert not any(secret in said for secret in SECRETS)


@pytest.mark.parametrize("kind", ["ES384", "RS384"])
def test_tokens_are_had_by_a_signed_assertion(tmp_path: Path, kind: str) -> None:
    path, public = key_file(tmp_path, kind)
    with serving(bulk(public_key=public, algorithm=kind, newer=kind == "ES384")) as server:
        assert export(server, tmp_path / "out", "--client-id", "data-team", "--key", str(path)) == 0
    assert server.asked_for("token") == ["system/*.rs" if kind == "ES384" else "system/*.read"]
    assert all(sent.startswith("Bearer secret-") for sent in server.authorizations)


def test_a_wrong_key_or_client_is_refused_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, public = key_file(tmp_path)
    path, _ = key_file(tmp_path)  # another one
    with serving(bulk(public_key=public)) as server:
        assert export(server, tmp_path / "out", "--client-id", "data-team", "--key", str(path)) == 1
    assert "the token endpoint: the server answers 400 (invalid_client)" in capsys.readouterr().err


def test_each_try_signs_anew_as_a_jti_is_taken_once(tmp_path: Path) -> None:
    path, public = key_file(tmp_path)
    with serving(bulk(public_key=public)) as server, http_client() as client:
        server.hiccups["token"] = deque([(503, {}), (503, {})])
        key = read_signing_key(path)
        waits = Waits(sleep=lambda _: None)
        tokens = BackendServices(client, "data-team", key, discover(Server(server.base, client), "ES384"), waits)
        assert tokens.token() == tokens.token()
        assert len(server.jtis) == 3
        replayed = BackendServices(client, "data-team", key, discover(Server(server.base, client), "ES384"), waits)
        kept = tokens._form()
        replayed._form = lambda: kept  # type: ignore[method-assign]
        replayed.token()
        replayed.forget(replayed.token())
        with pytest.raises(Refused, match="invalid_grant"):
            replayed.token()


def test_a_token_that_runs_out_among_the_files_is_renewed(tmp_path: Path) -> None:
    path, public = key_file(tmp_path)
    held = threading.Event()
    with serving(bulk(public_key=public, held=held)) as server:
        running = threading.Thread(
            target=export,
            args=(server, tmp_path / "out", "--client-id", "data-team", "--key", str(path), "--parallel", "1"),
        )
        running.start()
        until = time.monotonic() + 20
        while len(server.asked_for("file")) < 2 and time.monotonic() < until:
            time.sleep(0.01)
        server.expire_tokens()
        held.set()
        running.join(20)
    assert names(tmp_path / "out") == ALL
    assert len(server.asked_for("token")) == 2


def test_the_token_is_shown_to_no_other_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, public = key_file(tmp_path)
    stranger = bulk()
    with serving(bulk(public_key=public)) as server, serving(stranger):
        listed = server.listed
        server.listed = lambda: [{**file, "url": file["url"].replace(server.base, stranger.base)} for file in listed()]  # type: ignore[method-assign]
        assert export(server, tmp_path / "out", "--client-id", "data-team", "--key", str(path)) == 1
    assert stranger.asked == []
    assert "--also-trust" in capsys.readouterr().err


def test_a_signed_url_gets_no_token_and_is_had_anew_once_expired(tmp_path: Path) -> None:
    path, public = key_file(tmp_path)
    with serving(bulk(public_key=public, signed_files=True)) as server:
        manifest = server.manifest
        handed_out: list[int] = []

        def expiring(page: int) -> dict[str, Any]:
            found = manifest(page)
            if not handed_out:
                server.expire_urls()
            handed_out.append(page)
            return found

        server.manifest = expiring  # type: ignore[method-assign]
        assert export(server, tmp_path / "out", "--client-id", "data-team", "--key", str(path)) == 0
    assert names(tmp_path / "out") == ALL
    assert len(handed_out) == 2


def test_what_expired_for_good_is_said_with_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(bulk()) as server:
        server.hiccups["file"] = deque([(404, {})] * 20)
        assert export(server, tmp_path) == 1
        assert "--begin-anew" in capsys.readouterr().err
        server.hiccups["file"].clear()
        assert export(server, tmp_path, "--begin-anew") == 0
        assert len(server.asked_for("kick-off")) == 2
        assert names(tmp_path) == ALL
        server.cancelled = True
        (tmp_path / "Patient.000.ndjson").unlink()
        assert export(server, tmp_path) == 1
        assert "expired at the server" in capsys.readouterr().err


def test_a_file_that_breaks_off_is_fetched_again(tmp_path: Path) -> None:
    slept: list[float] = []
    with serving(bulk(cut={"Patient-0": 2})) as server:
        exporting(server, tmp_path, slept).run()
    assert (tmp_path / "Patient.000.ndjson").read_bytes() == PATIENTS
    assert server.asked_for("file").count("Patient-0") == 3
    assert not list(tmp_path.glob("*.part"))


def test_rows_that_are_missing_or_bad_are_reported_by_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = (
        PATIENTS
        + b'{"resourceType":"Patient","name":"Zebulon\n[1]\n{"id":"8005551"}\n'
        + rows({"resourceType": "Group"})
    )
    with serving(Bulk({"Patient": [bad]}, wrong_counts=True)) as server:
        assert export(server, tmp_path) == 1
    listed = (tmp_path / "bad-rows.tsv").read_text().splitlines()
    assert [line.split("\t")[1:] for line in listed] == [
        ["3", "not-json"], ["4", "no-object"], ["5", "no-resource-type"], ["6", "other-type"],
    ]  # fmt: skip
    said = capsys.readouterr()
    assert "4 bad rows" in said.out
    assert "6 rows where the manifest promised 7" in said.out
    assert (tmp_path / "Patient.000.ndjson").read_bytes() == bad
    written = "".join(path.read_text() for path in tmp_path.glob("*.json")) + "".join(listed) + said.out + said.err
    assert not any(secret in written for secret in ("Zebulon", "8005551"))


def test_errors_and_deletions_come_with_the_export(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    issue = {"severity": "error", "code": "not-found", "diagnostics": "Zebulon Quill"}
    errors = rows({"resourceType": "OperationOutcome", "issue": [issue, issue]})
    deleted = rows(
        {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [{"request": {"method": "DELETE", "url": "Patient/p9"}}],
        }
    )
    with serving(bulk(errors=errors, deleted=deleted)) as server:
        assert export(server, tmp_path) == 0
    said = capsys.readouterr().out
    assert "error/not-found 2 times" in said
    assert "Zebulon" not in said
    assert (tmp_path / "deleted" / "Bundle.000.ndjson").read_bytes() == deleted


def test_notes_behind_urls_are_fetched_as_binaries(tmp_path: Path) -> None:
    def document(identity: str, url: str, content_type: str = "text/plain") -> dict[str, Any]:
        attachment = {"contentType": content_type, "url": url}
        return {"resourceType": "DocumentReference", "id": identity, "content": [{"attachment": attachment}]}

    path, public = key_file(tmp_path)
    server = bulk(public_key=public, binaries={"b1": b"Cough since Monday.", "b2": b"Well."})
    with serving(server):
        documents = rows(
            document("d1", f"{server.base}/Binary/b1"), document("d2", "Binary/b2"), document("d3", "Binary/b3"),
            document("d4", "Binary/scan", "image/png"), document("d5", "https://elsewhere.example.org/note.txt"),
        )  # fmt: skip
        server.files = {"DocumentReference": [documents]}
        options = ("--client-id", "data-team", "--key", str(path))
        assert export(server, tmp_path / "out", *options) == 0
        assert export(server, tmp_path / "out", *options) == 0
    found = [json.loads(line) for line in (tmp_path / "out" / "Binary.attachments.ndjson").read_text().splitlines()]
    assert {one["id"]: base64.b64decode(one["data"]) for one in found} == server.binaries
    assert sorted(server.asked_for("binary")) == ["b1", "b2", "b3", "b3"]
    assert (
        "DocumentReference.000.ndjson\t3\tattachment-not-available" in (tmp_path / "out" / "bad-rows.tsv").read_text()
    )


def finished_files(folder: Path) -> int:
    state = read_state(folder)
    return len(state.files) if state else 0


def test_a_killed_export_goes_on_with_what_is_missing(tmp_path: Path) -> None:
    held = threading.Event()
    with serving(bulk(held=held)) as server:
        command = [
            sys.executable,
            "-c",
            ALONE,
            "--from",
            server.base,
            "--out",
            str(tmp_path / "out"),
            "--parallel",
            "1",
        ]
        running = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 60
        # The second file is asked for a moment before the first one is written down as finished.
        while time.monotonic() < until and not (len(server.asked_for("file")) > 1 and finished_files(tmp_path / "out")):
            time.sleep(0.02)
        running.send_signal(signal.SIGKILL)
        running.wait()
        assert finished_files(tmp_path / "out") == 1
        held.set()
        asked = len(server.asked_for("file"))
        assert export(server, tmp_path / "out") == 0
        assert len(server.asked_for("kick-off")) == 1
        assert len(server.asked_for("file")) - asked == 3
        assert names(tmp_path / "out") == ALL


def test_a_file_that_changed_on_the_disk_is_fetched_again(tmp_path: Path) -> None:
    with serving(bulk()) as server:
        assert export(server, tmp_path) == 0
        (tmp_path / "Patient.000.ndjson").write_bytes(PATIENTS.replace(b"p2", b"p3"))
        assert export(server, tmp_path) == 0
        assert server.asked_for("file").count("Patient-0") == 2
        assert (tmp_path / "Patient.000.ndjson").read_bytes() == PATIENTS


def test_another_request_into_the_same_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(bulk()) as server:
        assert export(server, tmp_path) == 0
        assert export(server, tmp_path, "--types", "Patient") == 1
        assert "holds another export" in capsys.readouterr().err


def test_an_export_is_cancelled_by_delete(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(bulk()) as server:
        server.hiccups["status"] = deque([(400, {})])
        assert export(server, tmp_path) == 1
        assert export(server, tmp_path, "--cancel") == 0
        assert server.cancelled
        assert export(server, tmp_path, "--cancel") == 1
        assert "no export that a server works on" in capsys.readouterr().err


@pytest.mark.parametrize(
    "address",
    [
        "http://ehr.example.org/fhir",
        "https://user:pw@ehr.example.org/fhir",
        "file:///etc/passwd",
        "https://e.org\\@x.org",
    ],
)
def test_addresses_that_would_show_data_are_refused(tmp_path: Path, address: str) -> None:
    assert main(["export", "--from", address, "--out", str(tmp_path)]) == 1


def test_nothing_secret_reaches_a_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    path, public = key_file(tmp_path)
    with serving(bulk(public_key=public, busy=1)) as server:
        server.hiccups["file"] = deque([(403, {})])
        assert export(server, tmp_path / "out", "--client-id", "data-team", "--key", str(path)) == 1
        assert export(server, tmp_path / "out", "--client-id", "data-team", "--key", str(path)) == 0
    said = capsys.readouterr()
    ours = [record.getMessage() for record in caplog.records if record.name.startswith(("training", "httpx", "jwt"))]
    everything = "\n".join([*ours, said.out, said.err])
    assert not any(secret in everything for secret in SECRETS)


def test_keys_that_smart_does_not_take_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    private = ec.generate_private_key(ec.SECP256R1())
    path.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(ExportFailure, match="P-384"):
        read_signing_key(path)
    path.write_text('{"kty": "EC"}')
    with pytest.raises(ExportFailure, match="no private key"):
        read_signing_key(path)
