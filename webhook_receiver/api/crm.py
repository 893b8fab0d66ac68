"""The organization's CRM: where it is, how we get in, and how it reaches us."""

import secrets
from datetime import datetime
from http import HTTPMethod, HTTPStatus
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from shared import config
from shared.adapters.store import UnitOfWork, tables
from shared.adapters.store.states import CrmState, Direction
from shared.domain import errors, messages, signing
from shared.domain.messages import Trigger
from webhook_receiver import identity, looks, own_deliveries, problems
from webhook_receiver.api import routes, shapes
from webhook_receiver.services import Services

CrmUrl = Annotated[
    shapes.Text,
    AfterValidator(config.root_url),
    Field(description="The CRM's API, `/api/v1` included."),
]
UNDER_WAY = (
    "Two secrets are accepted already. Keep one of them before you make another."
)


class CrmDocument(shapes.Document):
    """The CRM; its key and the webhook secrets are never shown.

    `webhook_secrets` counts those that are accepted: two while one is rotated.
    `last_webhook_at` is when a webhook last began a sync, as the history has it.
    """

    crm_url: str
    state: str
    checked_at: datetime | None
    users: int
    webhook_url: str
    webhook_secrets: int
    last_webhook_at: datetime | None


class CrmBody(shapes.Body):
    """Where the CRM is, and how we get in; what is left out stays."""

    crm_url: CrmUrl = Field(default="", json_schema_extra=shapes.without_default)
    api_key: shapes.Text = Field(default="", json_schema_extra=shapes.without_default)


class WebhookSecretDocument(shapes.Document):
    """A new webhook secret, which is shown this once."""

    secret: str


class FinishBody(shapes.Body):
    """Which of two accepted secrets to keep."""

    keep: Literal["new", "old"] = "new"


class TestDeliveryDocument(shapes.Document):
    """How a test delivery ended; `status` is that of the answer, if there was one."""

    outcome: own_deliveries.Arrival
    status: int | None


class Crm:
    """The calls about the CRM."""

    def __init__(self, services: Services) -> None:
        """Take the store, and the broker that workers listen to."""
        self._store = services.store
        self._broker = services.broker
        self._clock = services.clock
        self._public_url = services.public_url

    def register(self, api: routes.Routes) -> None:
        """Add the calls."""
        admin, shape = routes.ADMIN, CrmDocument
        post = HTTPMethod.POST
        api.add(HTTPMethod.GET, "/crm", self.read_crm, roles=admin, answer=shape)
        api.add(HTTPMethod.PUT, "/crm", self.set_crm, roles=admin, answer=shape)
        api.add(
            post,
            "/crm/check",
            self.check_crm,
            roles=admin,
            answer=shape,
            status=HTTPStatus.ACCEPTED,
        )
        api.add(
            post,
            "/crm/test-delivery",
            self.send_test_delivery,
            roles=admin,
            answer=TestDeliveryDocument,
        )
        api.add(
            post,
            "/crm/webhook-secret",
            self.rotate_webhook_secret,
            roles=admin,
            answer=WebhookSecretDocument,
            refuses=[HTTPStatus.CONFLICT],
        )
        api.add(
            post,
            "/crm/webhook-secret/finish",
            self.finish_webhook_secret,
            roles=admin,
            answer=shape,
        )

    def read_crm(self) -> CrmDocument:
        """Return where the CRM is, and how it last answered."""
        with self._store.read() as work:
            return self._document(work, _own(work))

    def set_crm(self, body: CrmBody) -> CrmDocument:
        """Set the address or the key; what changes them is unchecked."""
        given = body.model_dump(exclude_unset=True)
        with self._store.begin() as work:
            row = _own(work)
            before = row.crm_url, row.crm_api_key
            row.crm_url = given.get("crm_url", row.crm_url)
            row.crm_api_key = given.get("api_key", row.crm_api_key)
            if before != (row.crm_url, row.crm_api_key):
                row.crm_state = CrmState.UNCHECKED
                row.crm_checked_at = row.users_read_at = None
            document = self._document(work, row)
            work.commit()
        return document

    def check_crm(self) -> CrmDocument:
        """Have a worker read the CRM's users; `state` tells how that went."""
        with self._store.begin() as work:
            row = _own(work)
            before, row.crm_state = row.crm_state, CrmState.CHECKING
            document = self._document(work, row)
            work.commit()
        due = messages.CheckDue(organization_id=row.id)
        try:
            self._broker.publish(
                *looks.messages_for([due], Trigger.MANUAL, self._clock)
            )
        except errors.BrokerConnectionError:
            with self._store.begin() as work:
                _own(work).crm_state = before
                work.commit()
            raise
        return document

    def send_test_delivery(self) -> TestDeliveryDocument:
        """Send a signed webhook to our own public address, as the CRM would.

        Its type is `calendar_sync.test`: it is verified, and queues nothing. The CRM
        may send such a delivery, too, to find out whether its secret is right.
        """
        with self._store.read() as work:
            row = _own(work)
        report = own_deliveries.deliver(row, self._public_url, self._clock)
        return TestDeliveryDocument(outcome=report.arrival, status=report.status)

    def rotate_webhook_secret(self) -> WebhookSecretDocument:
        """Accept a new webhook secret beside the present one; it is shown this once."""
        new = signing.new_secret(secrets.token_bytes(signing.SECRET_BYTES))
        with self._store.begin() as work:
            row = _own(work)
            if len(row.crm_webhook_secrets) > 1:
                raise problems.ProblemError(HTTPStatus.CONFLICT, UNDER_WAY)
            row.crm_webhook_secrets = signing.rotated(row.crm_webhook_secrets, new)
            work.commit()
        return WebhookSecretDocument(secret=new)

    def finish_webhook_secret(self, body: FinishBody) -> CrmDocument:
        """Accept only one of the secrets from now on: the new one, or the old one."""
        with self._store.begin() as work:
            row = _own(work)
            kept = slice(1) if body.keep == "new" else slice(-1, None)
            row.crm_webhook_secrets = row.crm_webhook_secrets[kept]
            document = self._document(work, row)
            work.commit()
        return document

    def _document(self, work: UnitOfWork, row: tables.Organization) -> CrmDocument:
        return CrmDocument(
            crm_url=row.crm_url,
            state=row.crm_state,
            checked_at=row.crm_checked_at,
            users=work.users.count_of(row.id),
            webhook_url=own_deliveries.webhook_url(self._public_url, row),
            webhook_secrets=len(row.crm_webhook_secrets),
            last_webhook_at=work.jobs.last_begun(
                row.id, Trigger.WEBHOOK, Direction.CRM_TO_GOOGLE
            ),
        )


def _own(work: UnitOfWork) -> tables.Organization:
    return work.organizations.by_id(identity.caller().organization_id)
