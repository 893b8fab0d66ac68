"""Tiny programs in the places of the demo's real ones."""

import json
import os
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

from deploy.cli.demo.addresses import Addresses
from deploy.cli.demo.programs import Cast
from deploy.cli.supervision import Program

PLANTED = [
    {"crm_user_id": "u1", "email": "a@b.example", "google_account": "c@d.example"}
]

RUNS = "import signal; signal.pause()"
IS_READY = """
    import os, signal, socket
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
    signal.pause()
"""
SERVES = """
    import http.server, sys
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"items": [], "next_cursor": null}')
        def log_message(self, *_):
            pass
    address = "127.0.0.1", int(sys.argv[1])
    http.server.HTTPServer(address, Handler).serve_forever()
"""
IS_MISUSED = "import sys; sys.exit(2)"
SEEDS = f"""
    import json, pathlib, sys
    told, step = json.load(sys.stdin), sys.argv[2]
    with pathlib.Path(sys.argv[1]).open("a") as notes:
        notes.write(json.dumps({{"step": step, **told}}) + chr(10))
    print({json.dumps(json.dumps(PLANTED))})
"""
FAILS = "import sys; sys.exit(1)"


def python(code: str, *arguments: str) -> list[str]:
    """Return the command that runs some code."""
    return [sys.executable, "-I", "-c", textwrap.dedent(code), *arguments]


def program(name: str, code: str, *arguments: str) -> Program:
    """Return a program that runs some code."""
    command = python(code, *arguments)
    return Program(name=name, command=command, environment=dict(os.environ))


def tiny(notes: Path) -> Cast:
    """Return programs with which all goes well; the seed notes what it is told."""
    return Cast(
        google=program("google", RUNS),
        crm=program("crm", RUNS),
        product=program("product", IS_READY),
        seed=python(SEEDS, str(notes)),
    )


def serving(notes: Path, where: Addresses) -> Cast:
    """Return programs as `tiny` does, that answer at their addresses."""
    return replace(
        tiny(notes),
        google=program("google", SERVES, str(where.google_port)),
        crm=program("crm", SERVES, str(where.crm_port)),
    )
