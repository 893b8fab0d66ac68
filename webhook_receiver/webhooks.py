"""Takes webhooks: verify, publish, answer; 2xx only once the broker has confirmed.

Google's costs no database at all, the CRM's none as a rule: a channel token is an HMAC
over the channel id, and the CRM's secrets are kept for a moment; in a crowd of changes
the store tells which are edits (`crowds`). What is refused leaves
one line in the log and nothing in a queue.
"""

import logging
import re
import uuid
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Annotated, Literal

from flask import Blueprint, Response, request
from pydantic import BaseModel, Field, StringConstraints, ValidationError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from shared import instruments, metrics
from shared.domain import errors, identifiers, messages, signing
from shared.domain.messages import Message, Queue, Trigger
from webhook_receiver import bodies, problems
from webhook_receiver.crm_secrets import CrmSecrets
from webhook_receiver.crowds import Crowds
from webhook_receiver.services import Services

log = logging.getLogger(__name__)

_LONGEST_HEADER = 255
"""AMQP keeps ids in so many bytes."""
_SIGNATURE_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")
_NAME = re.compile(r"[a-z0-9-]{1,63}")


class UnknownOrganizationError(errors.WebhookError):
    """There is no such organization."""

    status = HTTPStatus.NOT_FOUND


class OversizedError(errors.WebhookError):
    """The body is larger than 256 KiB."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class _Record(BaseModel):
    id: Annotated[
        str,
        StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]+$"),
    ]
    version: Annotated[int, Field(strict=True, ge=1, lt=2**63)]
    owner_id: str | None = None
    google_event_id: str | None = None


class _Event(BaseModel):
    """What we need of an event of the CRM (`crm-api.yaml`)."""

    type: Literal["task.created", "task.updated", "task.deleted"]
    data: _Record


class _Test(BaseModel):
    """A delivery that is only to find out whether deliveries arrive.

    It is verified as any other, and queues nothing: 202 says that an event would have
    been queued.
    """

    type: Literal["calendar_sync.test"]


class Webhooks:
    """The two endpoints."""

    def __init__(self, services: Services) -> None:
        """Take the broker, the keys of channel tokens, and where secrets are."""
        self._broker = services.broker
        self._clock = services.clock
        self._crowds = Crowds(services.store, services.clock)
        self._channel_keys = services.keys.derive_all(signing.CHANNEL_TOKEN_PURPOSE)
        self._secrets = CrmSecrets(services.store, services.clock)

    def blueprint(self) -> Blueprint:
        """Return the routes."""
        routes = Blueprint("webhooks", __name__, url_prefix="/webhooks")
        google = instruments.webhook("google", self.google)
        crm = instruments.webhook("crm", self.crm)
        routes.add_url_rule("/google", "google", google, methods=["POST"])
        routes.add_url_rule("/crm/<organization>", "crm", crm, methods=["POST"])
        return routes

    def google(self) -> Response:
        """Take a push notification of Google (facts 150-156)."""
        return self._answer("google", self._google_message, HTTPStatus.NO_CONTENT)

    def crm(self, organization: str) -> Response:
        """Take an event of the CRM (Standard Webhooks)."""

        def read() -> Message | None:
            return self._crm_message(organization)

        return self._answer("crm", read, HTTPStatus.ACCEPTED)

    def _answer(
        self, source: str, read: Callable[[], Message | None], accepted: HTTPStatus
    ) -> Response:
        try:
            message = read()
            if message is None:
                self._broker.ping()
            else:
                self._broker.publish(message)
                log.info("Queued a webhook of %s as %s", source, message.id)
        except errors.WebhookError as error:
            log.warning("Refused a webhook of %s: %s", source, error)
            return _refused(source, error.status, str(error))
        except (errors.BrokerConnectionError, errors.RemoteUnavailableError) as error:
            log.warning("Did not queue a webhook of %s: %s", source, error)
            return _refused(source, HTTPStatus.SERVICE_UNAVAILABLE, "Not queued.")
        metrics.webhooks.labels(source, int(accepted)).inc()
        return Response(status=accepted)

    def _google_message(self) -> Message:
        headers = request.headers
        token = headers.get("X-Goog-Channel-Token", "")
        channel_id = headers.get("X-Goog-Channel-ID", "")
        state = headers.get("X-Goog-Resource-State", "")
        resource_id = headers.get("X-Goog-Resource-ID", "")
        if not token:
            message = "X-Goog-Channel-Token is missing"
            raise errors.WebhookSignatureError(message)
        if not channel_id:
            message = "X-Goog-Channel-ID is missing"
            raise errors.WebhookPayloadError(message)
        if not signing.is_channel_token(self._channel_keys, channel_id, token):
            message = "X-Goog-Channel-Token does not fit the channel"
            raise errors.WebhookSignatureError(message)
        if not state or max(len(state), len(resource_id)) > _LONGEST_HEADER:
            message = "X-Goog-Resource-State is missing, or a header is too long"
            raise errors.WebhookPayloadError(message)
        subject = messages.ChannelNotified(
            channel_id=channel_id, resource_id=resource_id, resource_state=state
        )
        return self._message(uuid.uuid4().hex, Queue.GOOGLE_CHANGES, subject)

    def _crm_message(self, organization: str) -> Message | None:
        """Return what is to be queued; None for a test."""
        secrets = None
        if _NAME.fullmatch(organization):
            secrets = self._secrets.of(organization)
        if secrets is None:
            raise UnknownOrganizationError
        body = _body()
        # Another organization's CRM may number its deliveries in the same way.
        delivery_id = identifiers.delivery_id(
            organization, self._verify(body, organization, secrets)
        )
        event = _event(body)
        if event is None:
            return None
        subject = messages.TaskChanged(
            organization=organization,
            task_id=event.data.id,
            version=event.data.version,
            owner_id=event.data.owner_id,
        )
        has_event = bool(event.data.google_event_id)
        queue = self._crowds.queue_of(subject, has_event=has_event)
        return self._message(delivery_id, queue, subject)

    def _verify(self, body: bytes, organization: str, secrets: Sequence[str]) -> str:
        """Return the delivery id."""
        headers = {name: request.headers.get(name, "") for name in _SIGNATURE_HEADERS}
        now = self._clock.now()
        try:
            verified = signing.verify_webhook(body, headers, secrets=secrets, now=now)
        except errors.WebhookSignatureError:
            newer = self._secrets.newer(organization)
            if newer is None:
                raise
            verified = signing.verify_webhook(body, headers, secrets=newer, now=now)
        if len(verified) > _LONGEST_HEADER:
            message = "webhook-id is too long"
            raise errors.WebhookPayloadError(message)
        return verified

    def _message(
        self, delivery_id: str, queue: Queue, subject: messages.Subject
    ) -> Message:
        return Message(
            id=delivery_id,
            queue=queue,
            subject=subject,
            trigger=Trigger.WEBHOOK,
            queued_at=self._clock.now(),
        )


def _body() -> bytes:
    try:
        return bodies.read()
    except RequestEntityTooLarge:
        raise OversizedError from None
    except HTTPException:
        message = "the body cannot be read"
        raise errors.WebhookPayloadError(message) from None


def _event(body: bytes) -> _Event | None:
    if request.mimetype != "application/json":
        message = "the body is not declared as application/json"
        raise errors.WebhookPayloadError(message)
    try:
        return _Event.model_validate_json(body)
    except ValidationError as error:
        if _is_test(body):
            return None
        places = {".".join(map(str, e["loc"])) or "body" for e in error.errors()}
        message = f"the body is not a valid event: {', '.join(sorted(places))}"
        raise errors.WebhookPayloadError(message) from None


def _is_test(body: bytes) -> bool:
    try:
        _Test.model_validate_json(body)
    except ValidationError:
        return False
    return True


def _refused(source: str, status: HTTPStatus, reason: str) -> Response:
    metrics.webhooks.labels(source, int(status)).inc()
    return problems.answer(status, reason)
