"""What happens at start and at the end."""

from __future__ import annotations

import asyncio
import gc
import time
from typing import Any

import httpx
import pytest

from cds_hooks.app import create_app
from cds_hooks.http_server import server
from cds_hooks.settings import Settings
from tests.cds_hooks.stand_ins import PlainCards, PlainClient, PlainFeedback
from tests.server_thread import ServerThread
from worker.local_redis import free_port


class LoadingClient(PlainClient):
    """A client that reads in this process: it has a model to load."""

    ready = False
    told_to_load = False

    def start_loading(self) -> None:
        self.told_to_load = True


def settings() -> Settings:
    return Settings(development=True, feedback_database_url="sqlite://")


def test_a_client_with_a_model_is_told_to_load_and_waited_for() -> None:
    client, port = LoadingClient(), free_port()
    app = create_app(settings(), client, cards=PlainCards(), feedback=PlainFeedback())
    with ServerThread(server(app, host="127.0.0.1", port=port)):
        assert client.told_to_load
        address = f"http://127.0.0.1:{port}/readyz"
        answer = httpx.get(address, trust_env=False)
        assert answer.status_code == 503
        assert answer.json()["resourceType"] == "OperationOutcome"
        client.ready = True
        assert httpx.get(address, trust_env=False).status_code == 200
    assert client.closed


def test_work_in_the_background_starts_and_ends_with_the_app() -> None:
    seen: list[str] = []

    async def work() -> None:
        seen.append("started")
        try:
            await asyncio.sleep(60)
        finally:
            seen.append("ended")

    app = create_app(settings(), PlainClient(), feedback=PlainFeedback(), background=[work])
    with ServerThread(server(app, host="127.0.0.1", port=free_port())):
        time.sleep(0.05)
        assert seen == ["started"]
    assert seen == ["started", "ended"]


def test_what_was_imported_is_out_of_the_collectors_sight() -> None:
    gc.unfreeze()
    app = create_app(settings(), PlainClient(), feedback=PlainFeedback())
    with ServerThread(server(app, host="127.0.0.1", port=free_port())):
        assert gc.get_freeze_count() > 10_000


@pytest.mark.parametrize("given", [{}, {"feedback": PlainFeedback()}, {"cards": PlainCards()}])
def test_parts_that_are_not_given_are_made(given: dict[str, Any]) -> None:
    assert create_app(settings(), PlainClient(), **given).title == "dxspan"
