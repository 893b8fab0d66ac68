"""`make screenshots`: photograph the pages of a demo into a folder."""

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
from playwright.sync_api import Browser

from tests.e2e import google_page
from tests.e2e.demo import Demo, running_in, started
from tests.screenshots import pages
from tests.services import chromium

_SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
_THEMES = ("light", "dark")


@dataclass(frozen=True, slots=True, kw_only=True)
class Studio:
    """What photographs: a browser, the demo in front of it, and where pictures go."""

    browser: Browser
    demo: Demo
    into: Path
    only: str

    def photograph(self, size: str, theme: str) -> None:
        """Photograph all pages at this size, in this theme."""
        width, height = _SIZES[size]
        for role, user, wanted in pages.WANTED:
            chosen = {n: path for n, path in wanted.items() if self.only in n}
            if not chosen:
                continue
            context = self.browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme="dark" if theme == "dark" else "light",
                timezone_id="Europe/Berlin",
            )
            page = context.new_page()
            page.goto(self.demo.login_link(role, user))
            for name, path in chosen.items():
                page.goto(f"{self.demo.said['receiver']}{path}")
                target = self.into / f"{name}-{size}-{theme}.png"
                page.screenshot(path=target, full_page=True)
                click.echo(os.fspath(target))
            context.close()


@contextlib.contextmanager
def _demo(data: Path | None) -> Iterator[Demo]:
    if data is not None:
        yield running_in(data, json.loads((data / "said.json").read_text()))
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        started(Path(folder) / "data") as demo,
    ):
        yield demo


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
    with _demo(data) as demo, google_page.launch(chromium.path()) as browser:
        pages.prepare(demo)
        studio = Studio(browser=browser, demo=demo, into=into, only=only)
        for size in _SIZES:
            for theme in _THEMES:
                studio.photograph(size, theme)


if __name__ == "__main__":
    main()
