"""`dxspan-serve`: the web process.

Knows the command line, which reader to use, and how to say that a setting is wrong. With nothing configured and a
loopback address it serves a developer: no tokens, local FHIR servers allowed, and it says so.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from pydantic_settings import SettingsError

from cds_hooks.app import create_app
from cds_hooks.http_server import server
from cds_hooks.last_answers import LastAnswers, RedisLastAnswers
from cds_hooks.settings import Settings
from cds_hooks.switches_file import BadSwitches
from cds_hooks.viewer.viewer_store import RedisViewerStore, ViewerStore
from worker.client import ReadingClient
from worker.crash_output import keep_crashes_quiet
from worker.json_log import log_event, set_up_log
from worker.tracing import end_tracing, start_tracing

if TYPE_CHECKING:
    from worker.in_process_client import InProcessClient

CANNOT_START = "dxspan-serve cannot start:"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
TRUST_VARIABLES = ("DXSPAN_AUTH", "DXSPAN_DEVELOPMENT", "DXSPAN_PUBLIC_BASE_URL", "DXSPAN_TRUSTED_ISSUERS")

READING_NEEDS = ("onnxruntime", "spacy")
"""What the web image leaves out: it has workers read."""

Background = Callable[[], Coroutine[Any, Any, None]]

log = logging.getLogger("dxspan.start")


class CannotRead(Exception):
    """Nobody would read a chart; the message names the setting."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until stopped; 2 when a setting is wrong."""
    options = _options(arguments)
    set_up_log()
    keep_crashes_quiet()
    try:
        settings = chosen_settings(options.host, options.port, os.environ, development=options.development)
        _trace(settings)
        client, background = reading_client(settings)
        last, viewer_store = shared_last_answers(settings), shared_viewer_store(settings)
        app = create_app(settings, client, last=last, viewer_store=viewer_store, background=background)
    except CannotRead as error:
        print(f"{CANNOT_START}\n  {error}", file=sys.stderr)
        return 2
    except BadSwitches as error:
        print(f"{CANNOT_START}\n  DXSPAN_SWITCHES_FILE: {error}", file=sys.stderr)
        return 2
    except (ValidationError, SettingsError) as error:
        print(explained(error), file=sys.stderr)
        return 2
    if settings.demo_page and options.host not in LOOPBACK:
        print(
            f"{CANNOT_START}\n  DXSPAN_DEMO_PAGE: the demo EHR is served at a loopback address alone", file=sys.stderr
        )
        return 2
    if not settings.auth_on:
        log_event(log, "tokens are not checked: anyone who reaches this address can call it", level=logging.WARNING)
    if not settings.audit_key:
        log_event(log, "no DXSPAN_AUDIT_KEY: the audit trail leaves out patient and user", level=logging.WARNING)
    log_event(log, "start", host=options.host, port=options.port, development=settings.development)
    server(app, host=options.host, port=options.port).run()
    end_tracing()
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="dxspan-serve", description="Serve dxspan to CDS Hooks clients.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on (default: %(default)s)")
    parser.add_argument(
        "--development", action="store_true", help="no tokens, http and loopback FHIR servers, /openapi.json"
    )
    return parser.parse_args(arguments)


def chosen_settings(host: str, port: int, environment: Mapping[str, str], *, development: bool = False) -> Settings:
    """The settings to serve with. Raises pydantic's ValidationError.

    A developer's are taken when asked for, or when the address is loopback and nothing about trust is set.
    """
    untouched = host in LOOPBACK and not any(name in environment for name in TRUST_VARIABLES)
    chosen: dict[str, Any] = {}
    if development or untouched:
        chosen["development"] = True
        if "DXSPAN_PUBLIC_BASE_URL" not in environment:
            chosen["public_base_url"] = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    return Settings(**chosen)


def reading_client(settings: Settings) -> tuple[ReadingClient, list[Background]]:
    """In front of the queue where Redis is configured, else a reader in this process; and what runs beside it.

    Raises pydantic's ValidationError, and CannotRead without Redis in an installation that cannot read (the web image).
    """
    can_read = all(find_spec(module) for module in READING_NEEDS)
    in_process = _in_process(settings) if can_read else None
    if not settings.redis_url:
        if not in_process:
            raise CannotRead(
                "DXSPAN_REDIS_URL: this installation reads no charts itself: name the queue of its workers"
            )
        return in_process, []
    from worker.canary_watch import watch_workers
    from worker.queue_client import QueueClient
    from worker.settings import QueueSettings

    queue = QueueClient(QueueSettings.from_environment(), fallback=in_process)
    return queue, [lambda: watch_workers(queue)]


def _in_process(settings: Settings) -> InProcessClient:
    # Imported here: neither way costs a process that takes the other one anything.
    from worker.in_process_client import InProcessClient

    return InProcessClient(
        settings.bundle_path,
        sentence_bytes=settings.sentence_mib * 2**20,
        sentence_seconds=settings.sentence_seconds,
    )


def _trace(settings: Settings) -> None:
    """Before the app is made, which takes up spans where they are sent. Raises pydantic's ValidationError."""
    if not settings.tracing:
        return
    from worker.settings import QueueSettings

    start_tracing("dxspan-serve", QueueSettings.from_environment().sealer if settings.redis_url else None)


def shared_last_answers(settings: Settings) -> LastAnswers | None:
    """Where several web processes keep patients' last assessments; None without Redis.

    Raises pydantic's ValidationError.
    """
    if not settings.redis_url or not settings.last_card_seconds:
        return None
    from worker.redis_connection import async_redis
    from worker.settings import QueueSettings

    queue = QueueSettings.from_environment()
    return RedisLastAnswers(async_redis(queue, connections=64), queue.sealer, settings.last_card_seconds)


def shared_viewer_store(settings: Settings) -> ViewerStore | None:
    """Where several web processes keep what the viewer shows; None without Redis, or without a viewer.

    Raises pydantic's ValidationError.
    """
    if not settings.redis_url or not (settings.viewer_clients or settings.demo_page):
        return None
    from worker.redis_connection import async_redis
    from worker.settings import QueueSettings

    queue = QueueSettings.from_environment()
    return RedisViewerStore(async_redis(queue, connections=64), queue.sealer)


def explained(error: ValidationError | SettingsError) -> str:
    """One line for each setting that is wrong, by the name of its variable and without its value."""
    lines = [CANNOT_START]
    if isinstance(error, SettingsError):
        return f"{lines[0]}\n  a setting that is written as JSON is not JSON: {error}"
    for fault in error.errors(include_url=False, include_input=False, include_context=False):
        name = "DXSPAN_" + str(fault["loc"][0]).upper() if fault["loc"] else "settings"
        inside = ".".join(str(step) for step in fault["loc"][1:])
        lines.append(f"  {name}{f' ({inside})' if inside else ''}: {fault['msg'].removeprefix('Value error, ')}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
