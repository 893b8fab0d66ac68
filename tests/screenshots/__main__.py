"""`make screenshots`: photograph the pages of a demo into a folder."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from playwright.sync_api import Browser

from tests.e2e import google_page
from tests.screenshots import pages
from tests.services import chromium, processes

_COMMAND = Path(sys.executable).with_name("calendar-sync")
_SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
_THEMES = ("light", "dark")


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """A running demo: where its data is, and what its line of JSON says."""

    data: Path
    said: Mapping[str, Any]

    def login_link(self, role: str, user: str | None) -> str:
        """Return a one-time address that signs somebody in."""
        who = ["--user", user] if user else []
        command = [_COMMAND, "login-link", "--org", self.said["organization"]]
        done = subprocess.run(  # noqa: S603 - our own command
            [*command, "--role", role, *who],
            cwd=self.data,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()


@contextlib.contextmanager
def _running() -> Iterator[Demo]:
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        base = str(processes.free_ports(1)[0])
        process = subprocess.Popen(  # noqa: S603 - our own command
            [_COMMAND, "demo", "--json", "--data", folder, "--port-base", base],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert process.stdout
        try:
            yield Demo(data=data, said=json.loads(process.stdout.readline()))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


@click.command()
@click.option(
    "--into", type=click.Path(path_type=Path), default=Path("var/screenshots")
)
@click.option("--only", default="", help="Only pages whose names contain this.")
@click.option(
    "--demo",
    "data",
    type=click.Path(path_type=Path, exists=True),
    help="The folder of a running demo, with its JSON line in said.json.",
)
def main(into: Path, only: str, data: Path | None) -> None:
    """Photograph the pages."""
    into.mkdir(parents=True, exist_ok=True)
    given = contextlib.nullcontext(_given(data)) if data else _running()
    with given as demo, google_page.launch(chromium.path()) as browser:
        pages.prepare(demo.said)
        for size in _SIZES:
            for theme in _THEMES:
                _photograph(browser, demo, into, only, size, theme)


def _given(data: Path) -> Demo:
    return Demo(data=data, said=json.loads((data / "said.json").read_text()))


def _photograph(
    browser: Browser, demo: Demo, into: Path, only: str, size: str, theme: str
) -> None:
    width, height = _SIZES[size]
    for role, user, wanted in pages.WANTED:
        chosen = {name: path for name, path in wanted.items() if only in name}
        if not chosen:
            continue
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if theme == "dark" else "light",
            timezone_id="Europe/Berlin",
        )
        page = context.new_page()
        page.goto(demo.login_link(role, user))
        for name, path in chosen.items():
            page.goto(f"{demo.said['receiver']}{path}")
            target = into / f"{name}-{size}-{theme}.png"
            page.screenshot(path=target, full_page=True)
            click.echo(os.fspath(target))
        context.close()


if __name__ == "__main__":
    main()
