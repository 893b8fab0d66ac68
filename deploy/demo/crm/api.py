"""The HTTP side of the contract: authorise, disturb, run, keep a log."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from flask import Blueprint, Response, request

from deploy.demo import clock, faults, request_log, storage
from deploy.demo.crm import model, operations, problems, state, tasks

PREFIX = "/api/v1"
_LONG_SECONDS = 60.0


class Knobs:
    """What the admin endpoints turn."""

    def __init__(self) -> None:
        """Start with everything well."""
        self.faults = faults.Faults()
        self.requests = request_log.RequestLog()


@dataclass(frozen=True, kw_only=True)
class Api:
    """The API over a state; `register` adds its routes to a blueprint."""

    held: state.State
    ticking: clock.Clock
    tasks: tasks.Tasks
    knobs: Knobs
    sleep: Callable[[float], None] = time.sleep

    def register(self, blueprint: Blueprint) -> None:
        """Serve every operation of the contract to whoever has a key."""
        for operation in operations.OPERATIONS:
            blueprint.add_url_rule(
                PREFIX + operation.path,
                endpoint=operation.name.replace(".", "_"),
                view_func=self._view(operation),
                methods=[operation.method],
            )

    def _view(self, operation: operations.Operation) -> Callable[..., Response]:
        def view(**args: str) -> Response:
            entry = self._entry(operation, args)
            try:
                response = self._answer(operation, args, entry)
                entry["status"] = response.status_code
            except problems.ProblemError as problem:
                entry["status"] = int(problem.status)
                response = operations.refusal(problem)
            except ConnectionAbortedError:
                entry["answer_lost"] = True
                raise
            finally:
                self.knobs.requests.add(entry)
            return response

        return view

    def _entry(
        self, operation: operations.Operation, args: dict[str, str]
    ) -> storage.Json:
        return {
            "time": model.timestamp(self.ticking.now()),
            "method": request.method,
            "path": request.path,
            "query": request.args.to_dict(flat=False),
            "operation": operation.name,
            "task_id": args.get("task_id", ""),
            "user_id": args.get("user_id", ""),
            "status": 0,
            "if_match": "If-Match" in request.headers,
            "idempotency_key": request.headers.get("Idempotency-Key", ""),
            "answer_lost": False,
        }

    def _answer(
        self,
        operation: operations.Operation,
        args: dict[str, str],
        entry: storage.Json,
    ) -> Response:
        self._authorise(operation)
        call = operations.Call(
            held=self.held, now=self.ticking.now(), tasks=self.tasks, args=args
        )
        fault = self.knobs.faults.take(
            {name: entry[name] for name in ("operation", "method", "path", "task_id")}
        )
        if fault and not fault.apply_then_fail:
            if fault.latency_seconds:
                self.sleep(fault.latency_seconds)
            if fault.status is not None:
                return _refusal(fault, fault.status)
        response = operation.run(call)
        if location := response.headers.get("Location"):
            entry["task_id"] = location.rpartition("/")[2]
        if fault and fault.apply_then_fail:
            entry["answer_lost"] = True
            return self._lose(fault)
        return response

    def _authorise(self, operation: operations.Operation) -> None:
        kind, _, text = request.headers.get("Authorization", "").partition(" ")
        with self.held.lock:
            key = self.held.keys.get(text)
        if kind.casefold() != "bearer" or key is None:
            raise problems.unauthorized()
        if operation.needs and not key.permits(operation.needs):
            raise problems.forbidden(operation.needs)

    def _lose(self, fault: faults.Fault) -> Response:
        if fault.apply_then_fail is faults.LostAnswer.UNAVAILABLE:
            return _refusal(fault, HTTPStatus.SERVICE_UNAVAILABLE)
        if fault.apply_then_fail is faults.LostAnswer.TIMEOUT:
            self.sleep(fault.latency_seconds or _LONG_SECONDS)
        # The server closes the connection; in process the caller gets the exception.
        message = "the answer was lost on purpose"
        raise ConnectionAbortedError(message)


def _refusal(fault: faults.Fault, status: int) -> Response:
    problem = problems.ProblemError(
        HTTPStatus(status), fault.message, members=dict(fault.body or {})
    )
    if fault.retry_after is not None:
        problem.headers["Retry-After"] = str(fault.retry_after)
    return operations.refusal(problem)
