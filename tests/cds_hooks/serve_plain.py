"""`python tests/cds_hooks/serve_plain.py PORT`: the web process with stand-ins, alone in a process, to measure it."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from cds_hooks.app import create_app
from cds_hooks.http_server import server
from cds_hooks.settings import Settings
from tests.cds_hooks.stand_ins import PlainCards, PlainClient, PlainFeedback
from worker.json_log import set_up_log

if __name__ == "__main__":
    set_up_log()
    app = create_app(Settings(development=True), PlainClient(), cards=PlainCards(), feedback=PlainFeedback())
    server(app, host="127.0.0.1", port=int(sys.argv[1])).run()
