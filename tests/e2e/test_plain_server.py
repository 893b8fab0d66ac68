"""A plain server as deploy/README.md sets it up: systemd's command lines behind nginx.

Only systemd itself is missing: its units' commands run here with the variables that it
would set, on RabbitMQ and PostgreSQL, and reached over https alone.
"""

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import pytest
import requests

from tests import deployment, services, tls
from tests.e2e.notices import Notices
from tests.e2e.system import ANN, BEN, ORGANIZATION, System, eventually
from tests.e2e.test_scenario import new_event, new_task
from tests.services import nginx
from tests.services.processes import free_ports

RECEIVERS = ("serve@8080", "serve@8081")
WORKER = "work@1"

BURST = 30
"""More than a worker has in hand at once."""


class PlainServer(System):
    """The processes of systemd's units, behind nginx."""

    names = (*RECEIVERS, WORKER, "periodic")

    def __init__(self, directory: Path, *, database_url: str, amqp_url: str) -> None:
        """Take where to keep files, and the services to run on."""
        super().__init__(
            directory,
            database_url=database_url,
            amqp_url=amqp_url,
            safety_poll_seconds=900,
            connected=[ANN, BEN],
        )
        self.directory = directory
        self.certificate = tls.issue(directory)
        https, http, outside, *rest = free_ports(7)
        self.url = f"https://localhost:{https}"
        self.insecure_url = f"http://localhost:{http}"
        # The simulators trust the world's authorities alone, so they send their
        # webhooks through a gateway that trusts ours.
        self.webhooks_url = f"http://127.0.0.1:{outside}"
        self.ports = dict(zip(("8080", "8081", "9100", "910%i"), rest, strict=True))
        self.notices = Notices(directory)
        self._sites = self._site(https=https, http=http) + self._gateway(outside)
        self._https = https

    def __enter__(self) -> Self:
        """Start nginx, through which the rest is set up, and then the rest."""
        served = nginx.running(self.directory, self._sites, port=self._https)
        self._stack.enter_context(served)
        return super().__enter__()

    def arguments_of(self, name: str) -> Sequence[str]:
        """Return the command line of a unit, on a port of our own."""
        port = str(self.ports.get(name.partition("@")[2]))
        return [word.replace("%i", port) for word in _unit(name).command]

    def start(self, name: str, **environment: str) -> None:
        """Start a unit as systemd does: until the process says that it is ready."""
        variables = _unit(name).settings.get("Environment", "")
        metrics, _, port = variables.partition("=")
        if metrics:
            environment[metrics] = str(self.ports[port])
        with self.notices.expected() as address:
            super().start(name, NOTIFY_SOCKET=address, **environment)

    def environment(self) -> dict[str, str]:
        """Return the variables; `doctor` is to trust our certificate, too."""
        return {
            **super().environment(),
            "GOOGLE_PUSH_ADDRESS": f"{self.webhooks_url}/webhooks/google",
            "REQUESTS_CA_BUNDLE": str(self.certificate.authority),
        }

    def served(self) -> list[str]:
        """Return what nginx noted of each request over https."""
        return (self.directory / "calendar-sync.log").read_text().splitlines()

    def _site(self, *, https: int, http: int) -> str:
        name = "/etc/letsencrypt/live/calendar-sync.example.com"
        return _replaced(
            deployment.NGINX.read_text(),
            {
                "127.0.0.1:8080": f"127.0.0.1:{self.ports['8080']}",
                "127.0.0.1:8081": f"127.0.0.1:{self.ports['8081']}",
                "listen 80;": f"listen 127.0.0.1:{http};",
                "listen 443 ssl;": f"listen 127.0.0.1:{https} ssl;",
                # Not every machine that runs tests has IPv6.
                "listen [::]:80;": "",
                "listen [::]:443 ssl;": "",
                f"{name}/fullchain.pem": str(self.certificate.certificate),
                f"{name}/privkey.pem": str(self.certificate.key),
                "calendar-sync.example.com": "localhost",
                "/var/log/nginx": str(self.directory),
                "https://$host$request_uri": f"{self.url}$request_uri",
            },
        )

    def _gateway(self, port: int) -> str:
        return f"""
            server {{
                listen 127.0.0.1:{port};
                location / {{
                    proxy_pass {self.url.replace("localhost", "127.0.0.1")};
                    proxy_ssl_verify on;
                    proxy_ssl_name localhost;
                    proxy_ssl_trusted_certificate {self.certificate.authority};
                }}
            }}
        """


def _unit(name: str) -> deployment.Unit:
    kind, at, _ = name.partition("@")
    return deployment.units()[kind + at]


def _replaced(text: str, changes: Mapping[str, str]) -> str:
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlainServer]:
    """Return a plain server with two connected users."""
    with contextlib.ExitStack() as stack:
        started = PlainServer(
            tmp_path_factory.mktemp("server"),
            database_url=stack.enter_context(services.database()),
            amqp_url=stack.enter_context(services.virtual_host()),
        )
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("REQUESTS_CA_BUNDLE", str(started.certificate.authority))
        yield stack.enter_context(started)


def test_a_task_and_an_event_reach_the_other_side_over_https(
    server: PlainServer,
) -> None:
    task = server.crm_call("POST", "/tasks", new_task(ANN, "From the CRM"))
    server.google_call(BEN, "POST", body=new_event("From Google"))

    event = eventually(lambda: server.event(ANN, "From the CRM"))
    eventually(lambda: server.task("From Google"))

    server.google_call(ANN, "PATCH", f"/{event['id']}", {"location": "Room 7"})

    def has_moved() -> None:
        assert server.task("From the CRM")["location"] == "Room 7"

    eventually(has_moved)
    assert server.task("From the CRM")["id"] == task["id"]
    taken = [line.split()[2:5] for line in server.served()]
    assert ["POST", f"/webhooks/crm/{ORGANIZATION}", "202"] in taken
    assert ["POST", "/webhooks/google", "204"] in taken


def test_a_session_lives_in_a_cookie_that_only_https_carries(
    server: PlainServer,
) -> None:
    browser = requests.Session()
    link = server.login_link("admin")
    assert link.startswith(server.url)

    page = browser.get(link, timeout=30)

    cookie = page.history[0].headers["Set-Cookie"]
    assert page.ok
    assert page.url == f"{server.url}/admin"
    assert cookie.startswith("__Host-session=")
    assert "; Secure" in cookie
    assert "max-age=" in page.headers["Strict-Transport-Security"]
    address = urlsplit(link)

    def is_noted_without_its_secret() -> None:
        (line,) = [line for line in server.served() if f" {address.path} " in line]
        assert address.query not in line

    assert address.query
    eventually(is_noted_without_its_secret)


def test_whoever_comes_without_tls_is_sent_to_where_it_is(server: PlainServer) -> None:
    answer = requests.post(
        f"{server.insecure_url}/webhooks/google?a=b",
        allow_redirects=False,
        timeout=30,
    )

    assert answer.status_code == 308
    assert answer.headers["Location"] == f"{server.url}/webhooks/google?a=b"


def test_metrics_are_for_this_machine_alone(server: PlainServer) -> None:
    inside = [f"http://127.0.0.1:{port}/metrics" for port in server.ports.values()]

    assert requests.get(f"{server.url}/metrics", timeout=30).status_code == 404
    for address in inside:
        assert "calendar_sync_" in requests.get(address, timeout=30).text


def test_a_body_far_beyond_the_limit_is_refused_before_a_receiver_sees_it(
    server: PlainServer,
) -> None:
    address = f"{server.url}/webhooks/crm/{ORGANIZATION}"

    answers = [
        requests.post(address, b"x" * kib * 1024, timeout=30) for kib in (257, 400)
    ]

    assert [answer.status_code for answer in answers] == [413, 413]

    def is_noted() -> None:
        noted = [line.split() for line in server.served()]
        upstreams = [words[7] for words in noted if words[4] == "413"]
        assert len(upstreams) == 2
        assert upstreams.count("-") == 1

    eventually(is_noted)


def test_the_doctor_finds_everything_well(server: PlainServer) -> None:
    assert f"answers at {server.url}" in server.command("doctor")


def test_receivers_are_restarted_in_turn_and_no_webhook_is_refused(
    server: PlainServer,
) -> None:
    address = f"{server.url}/webhooks/crm/{ORGANIZATION}"
    statuses: list[int] = []

    def restart_in_turn() -> None:
        for name in RECEIVERS:
            server.restart(name)

    with ThreadPoolExecutor(1) as pool, requests.Session() as sender:
        restarting = pool.submit(restart_in_turn)
        while not restarting.done():
            # Unsigned, so that a receiver answers it by itself.
            statuses.append(sender.post(address, b"{}", timeout=30).status_code)
        restarting.result()

    assert set(statuses) == {401}
    for name in RECEIVERS:
        port = server.ports[name.partition("@")[2]]
        assert any(f"127.0.0.1:{port} 401" in line for line in server.served())


def test_a_worker_that_is_to_stop_finishes_what_it_has_in_hand(
    server: PlainServer,
) -> None:
    titles = [f"Drained {number}" for number in range(BURST)]
    longest = int(_unit(WORKER).settings["TimeoutStopSec"])
    mark = server.mark()
    with server.paused(WORKER):
        for title in titles:
            server.crm_call("POST", "/tasks", new_task(ANN, title))
    eventually(lambda: server.event(ANN, titles[0]))

    began = time.monotonic()
    code = server.stop(WORKER)

    assert code == 0
    assert time.monotonic() - began < longest
    server.start(WORKER)
    eventually(lambda: _assert_each_is_there_once(server, titles))
    eventually(server.assert_quiet)
    # What was in hand was answered for: none of it came again.
    assert mark.google().count("events.insert") == BURST
    assert server.api("GET", "/dead-letters")["items"] == []


def _assert_each_is_there_once(server: PlainServer, titles: Sequence[str]) -> None:
    found: list[Any] = [event.get("summary") for event in server.events(ANN)]
    assert [found.count(title) for title in titles] == [1] * len(titles)
