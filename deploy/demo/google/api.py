"""The HTTP side of Calendar v3: authorise, check, run, check the answer, keep a log."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from flask import Blueprint, Response, request

from deploy.demo import clock, faults, request_log
from deploy.demo.google import (
    answers,
    calls,
    channels,
    discovery,
    errors,
    fault_errors,
    grants,
    methods,
    model,
    partial,
    quota,
    schemas,
    state,
)

_PREFIX = "/calendar/v3/"
_DEMO_TOKEN = "demo-"  # noqa: S105 -- how any client acts as a user, no secret
_DEMO_CLIENT = "demo"
_PAGE_HEADER = "X-Simulator-Page"
_LONG_SECONDS = 60.0
# "Each patch request consumes three quota units" (fact 116).
_UNITS = {"PATCH": 3}
_EVENT = "Event"


class Knobs:
    """What the admin endpoints turn."""

    def __init__(self) -> None:
        """Start with everything well."""
        self.faults = faults.Faults()
        self.quota = quota.Quota()
        self.requests = request_log.RequestLog()
        self.empty_pages = False


@dataclass(frozen=True, kw_only=True)
class Api:
    """The Calendar API over a state; `register` adds its routes to a blueprint."""

    held: state.State
    ticking: clock.Clock
    watched: channels.Channels
    knobs: Knobs
    resolve_token: grants.TokenResolver
    sleep: Callable[[float], None] = time.sleep

    def register(self, blueprint: Blueprint) -> None:
        """Serve every method that the simulator has, under Google's own paths."""
        for name in methods.METHODS:
            method = discovery.methods()[name]
            path = method.path.replace("{", "<").replace("}", ">")
            blueprint.add_url_rule(
                _PREFIX + path,
                endpoint=name.replace(".", "_"),
                view_func=self._view(method),
                methods=[method.http_method],
            )

    def _view(self, method: discovery.Method) -> Callable[..., Response]:
        def view(**args: str) -> Response:
            entry = self._entry(method, args)
            try:
                response = self._answer(method, args, entry)
                entry["status"] = response.status_code
            except errors.ApiError as error:
                entry["status"] = int(error.status)
                response = answers.as_json(error.envelope(), error.status)
            except ConnectionAbortedError:
                entry["answer_lost"] = True
                raise
            finally:
                if not _is_from_page():
                    self.knobs.requests.add(entry)
            return response

        return view

    def _entry(self, method: discovery.Method, args: dict[str, str]) -> model.Json:
        return {
            "time": model.timestamp(model.micros(self.ticking.now())),
            "method": request.method,
            "path": request.path,
            "query": request.args.to_dict(flat=False),
            "account": "",
            "client": "",
            "operation": method.short_id,
            "calendar_id": args.get("calendarId", ""),
            "event_id": args.get("eventId", ""),
            "status": 0,
            "if_match": "If-Match" in request.headers,
            "send_updates": request.args.get("sendUpdates"),
            "answer_lost": False,
        }

    def _answer(
        self, method: discovery.Method, args: dict[str, str], entry: model.Json
    ) -> Response:
        grant = self._authenticate()
        entry["account"], entry["client"] = grant.account, grant.client_id
        if not grant.scopes & method.scopes:
            raise errors.insufficient_permissions()
        body, chosen = _body(method), _chosen(method)
        if method.request == _EVENT:
            entry["event_id"] = entry["event_id"] or str(body.get("id") or "")
        fault = None if _is_from_page() else self._meet(method, entry)
        if fault and not fault.apply_then_fail:
            if fault.latency_seconds:
                self.sleep(fault.latency_seconds)
            if error := fault_errors.of(fault):
                return answers.refusal(error, fault)
        answer = self._run(method, grant, args, body)
        if answer and method.response == _EVENT:
            entry["event_id"] = answer["id"]
        if fault and fault.apply_then_fail:
            entry["answer_lost"] = True
            return self._lose(fault)
        return answers.checked(method, answer, chosen)

    def _meet(self, method: discovery.Method, entry: model.Json) -> faults.Fault | None:
        """Charge the quota for a client's request; return the fault it meets."""
        units = _UNITS.get(method.http_method, 1)
        self.knobs.quota.spend(entry["account"], self.ticking.now(), units)
        return self.knobs.faults.take(
            {name: entry[name] for name in fault_errors.MATCHABLE}
        )

    def _run(
        self,
        method: discovery.Method,
        grant: grants.Grant,
        args: dict[str, str],
        body: model.Json,
    ) -> model.Json | None:
        values = discovery.parse_query(method, request.args.items(multi=True))
        if method.request:
            schemas.check_request(method.request, body)
        call = calls.Call(
            held=self.held,
            watched=self.watched,
            grant=grant,
            now=self.ticking.now(),
            path=request.path,
            args=args,
            values=values,
            body=body,
            if_match=request.headers.get("If-Match", ""),
            empty_pages=self.knobs.empty_pages,
        )
        return methods.METHODS[method.id](call)

    def _authenticate(self) -> grants.Grant:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if not token:
            raise errors.login_required()
        if kind.casefold() != "bearer":
            raise errors.invalid_credentials()
        grant: grants.Grant | None
        if token.startswith(_DEMO_TOKEN):
            grant = grants.Grant(
                account=token.removeprefix(_DEMO_TOKEN),
                scopes=discovery.all_scopes(),
                client_id=_DEMO_CLIENT,
            )
        else:
            grant = self.resolve_token(token)
        if grant is None or grant.account not in self.held.accounts:
            raise errors.invalid_credentials()
        return grant

    def _lose(self, fault: faults.Fault) -> Response:
        if fault.apply_then_fail is faults.LostAnswer.UNAVAILABLE:
            error = errors.backend_error(HTTPStatus.SERVICE_UNAVAILABLE)
            return answers.as_json(error.envelope(), error.status)
        if fault.apply_then_fail is faults.LostAnswer.TIMEOUT:
            self.sleep(fault.latency_seconds or _LONG_SECONDS)
        # The server closes the connection; in process the caller gets the exception.
        message = "the answer was lost on purpose"
        raise ConnectionAbortedError(message)


def _body(method: discovery.Method) -> model.Json:
    raw = request.get_data()
    if not method.request or not raw:
        return {}
    try:
        body = json.loads(raw)
        # Half a surrogate pair passes as JSON, but is no text to keep.
        json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise errors.parse_error() from error
    if not isinstance(body, dict):
        raise errors.parse_error()
    return body


def _chosen(method: discovery.Method) -> partial.Selection:
    return partial.parse(request.args.get("fields", ""), method.response)


def _is_from_page() -> bool:
    # The calendar page is Google's own: nobody's quota, log or faults are touched.
    return _PAGE_HEADER in request.headers
