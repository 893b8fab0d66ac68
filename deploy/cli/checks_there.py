"""The doctor's checks of an organization: its CRM, its Google app, its connections."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from urllib.parse import urlsplit

from deploy.cli import consent, findings, organizations, remotes
from deploy.cli.findings import Finding
from deploy.cli.foundation import Foundation
from shared import config
from shared.adapters import google_oauth
from shared.adapters.store import tables
from shared.domain import errors

_SKEW = timedelta(seconds=60)
"""More than that makes signatures and last-modified-wins unreliable."""


class OrganizationChecks:
    """The checks of one organization; they ask its CRM and Google a few questions."""

    def __init__(
        self, base: Foundation, row: tables.Organization, reached: remotes.Remotes
    ) -> None:
        """Take the organization, and how to reach its outside worlds."""
        self._base = base
        self._row = row
        self._reached = reached

    def run(self) -> Iterator[Finding]:
        """Check all."""
        yield from self._check_crm()
        yield from self._check_client()
        yield from self._check_connections()
        yield from self._check_channels()

    # -- CRM ----------------------------------------------------------------------

    def _check_crm(self) -> Iterator[Finding]:
        subject, name = f"{self._row.name}: crm", self._row.name
        row = self._row
        crm = organizations.hasty_crm(row.crm_url, row.crm_api_key, self._base.clock)
        try:
            users = crm.list_users()
        except errors.RemoteAuthError:
            text = "refuses the API key"
            remedy = f"run: calendar-sync org update {name} --crm-api-key KEY"
            yield findings.problem(subject, text, remedy)
        except errors.RecordNotFoundError:
            text = f"has no API at {self._row.crm_url}"
            remedy = f"run: calendar-sync org update {name} --crm-url URL/api/v1"
            yield findings.problem(subject, text, remedy)
        except errors.SyncError as error:
            remedy = f"see that it runs at {self._row.crm_url}"
            yield findings.problem(subject, str(error), remedy)
        else:
            active = sum(user.active for user in users)
            yield findings.ok(subject, f"answers and has {active} active users")
        remedy = "set the CRM's clock, or this machine's"
        yield from _check_clock(f"{subject} clock", crm.clock_skew, remedy)

    # -- Google -------------------------------------------------------------------

    def _check_client(self) -> Iterator[Finding]:
        subject, row = f"{self._row.name}: google app", self._row
        if not (row.google_client_id and row.google_client_secret):
            remedy = "an admin sets it, or run: calendar-sync org update "
            remedy += f"{row.name} --google-client-id ID --google-client-secret SECRET"
            yield findings.note(subject, "is not set up yet", remedy)
            return
        client = google_oauth.Client(
            client_id=row.google_client_id, client_secret=row.google_client_secret
        )
        try:
            _offer(consent.oauth(self._base), client)
        except errors.GrantRevokedError:
            # It is the made-up grant that Google refuses: so it knows the client.
            yield findings.ok(subject, "Google answers and accepts the client")
        except errors.ClientRefusedError:
            text = "Google refuses the client id and secret"
            remedy = "take both from the Google Cloud console, then run: calendar-sync "
            remedy += f"org update {row.name} --google-client-id ID "
            remedy += "--google-client-secret SECRET"
            yield findings.problem(subject, text, remedy)
        except errors.SyncError as error:
            remedy = "see that this machine can reach Google, or correct GOOGLE_*_URL"
            yield findings.problem(subject, str(error), remedy)

    def _check_connections(self) -> Iterator[Finding]:
        subject = f"{self._row.name}: connections"
        with self._base.store.read() as work:
            counted = work.connections.count_by_state(self._row.id)
            active = work.connections.active_of(self._row.id)
        states = ", ".join(f"{n} {state}" for state, n in sorted(counted.items()))
        yield findings.ok(subject, states or "none yet")
        if active:
            yield from self._try_connection(active[0])

    def _try_connection(self, connection: tables.Connection) -> Iterator[Finding]:
        """Ask for the calendars of one account: it is let in as all others are."""
        subject = f"{self._row.name}: calendar api"
        try:
            calendars = self._reached.google(connection)
            calendars.list_calendars()
        except errors.ApiDisabledError:
            text = "is not enabled in the Google Cloud project"
            remedy = "enable the Google Calendar API in the Google Cloud console"
            yield findings.problem(subject, text, remedy)
        except errors.ClientRefusedError:
            return  # said already
        except errors.RemoteAuthError as error:
            text = f"lets connection {connection.id} not in ({error.reason})"
            yield findings.note(subject, text, "the user connects again")
        except errors.RetryableError as error:
            remedy = "see that this machine can reach Google, or correct GOOGLE_API_URL"
            yield findings.problem(subject, str(error), remedy)
        else:
            yield findings.ok(subject, f"answers for connection {connection.id}")
            remedy = "set this machine's clock"
            clock = f"{self._row.name}: google clock"
            yield from _check_clock(clock, calendars.clock_skew, remedy)

    # -- channels -----------------------------------------------------------------

    def _check_channels(self) -> Iterator[Finding]:
        subject = f"{self._row.name}: channels"
        with self._base.store.read() as work:
            now = self._base.clock.now()
            live, expired = work.channels.count_open(self._row.id, now=now)
            active = len(work.connections.active_of(self._row.id))
        if expired:
            text = f"{expired} watch channels have expired, {live} are live"
            remedy = "see that `calendar-sync periodic` and `calendar-sync work` run"
            yield findings.problem(subject, text, remedy)
        elif live < active:
            text = f"{live} watch channels for {active} active connections"
            yield findings.note(subject, text, _why_none(self._base))
        else:
            yield findings.ok(subject, f"{live} watch channels are live")


def _offer(oauth: google_oauth.GoogleOAuth, client: google_oauth.Client) -> None:
    """Ask for an access token with a grant that cannot be; raises Google's refusal."""
    tokens = google_oauth.Tokens(refresh_token="none")  # noqa: S106 - it is none
    oauth.credentials(client, tokens, on_refresh=lambda _: None).refresh(None)


def _check_clock(
    subject: str, read: Callable[[], timedelta | None], remedy: str
) -> Iterator[Finding]:
    skew = read()
    if skew is not None and abs(skew) > _SKEW:
        seconds = round(skew.total_seconds())
        text = f"is {seconds:+d} s from this machine's"
        yield findings.problem(subject, text, remedy)


def _why_none(base: Foundation) -> str:
    here = config.is_loopback(urlsplit(base.config.push_address).hostname)
    google = config.is_loopback(urlsplit(base.config.google_api_url).hostname)
    if here and not google:
        return "Google cannot reach PUBLIC_URL on this machine; polling is all there is"
    return "workers open them; some calendars cannot be watched"
