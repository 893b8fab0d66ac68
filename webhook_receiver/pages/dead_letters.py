"""Dead letters: what failed for good, with why; to be replayed or discarded."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from shared.adapters.store import UnitOfWork
from shared.domain import reasons
from webhook_receiver import identity, problems
from webhook_receiver.api import dead_letters
from webhook_receiver.api.dead_letters import DeadLetterDocument, SelectionBody
from webhook_receiver.pages import asking, confirming, naming
from webhook_receiver.pages.confirming import counted
from webhook_receiver.pages.labels import LABELS, QUEUES
from webhook_receiver.pages.routes import OPERATION, PageRoutes
from webhook_receiver.services import Services

_PATH = "/admin/dead-letters"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A dead letter, and what the meeting is called that it is about."""

    letter: DeadLetterDocument
    title: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The dead letters of one reason."""

    reason: str
    count: int

    @property
    def word(self) -> str:
        """The reason as a few words."""
        return LABELS[self.reason].word

    @property
    def explanation(self) -> str:
        """The reason as a sentence."""
        return reasons.explain(self.reason)


class DeadLetters:
    """Shows what `api.dead_letters` answers, and acts through it."""

    def __init__(self, services: Services) -> None:
        """Take the dead letters."""
        self._store = services.store
        self._letters = dead_letters.DeadLetters(services)

    def register(self, routes: PageRoutes) -> None:
        """Add the pages."""
        one = f"{_PATH}/<int:dead_letter_id>"
        routes.show(_PATH, self.dead_letters, roles=OPERATION)
        routes.show(one, self.dead_letter, roles=OPERATION)
        routes.take(f"{_PATH}/replay", self.replay_letters, roles=OPERATION)
        routes.take(f"{_PATH}/discard", self.discard_letters, roles=OPERATION)

    # -- showing ------------------------------------------------------------------

    def dead_letters(self) -> ResponseReturnValue:
        """List the dead letters, and how many there are of each reason."""
        query = asking.query(dead_letters.DeadLetterQuery)
        page = self._letters.list_dead_letters(query)
        with self._store.read() as work:
            lines = _lines(work, page.items)
            found = _counted(work)
        by_reason = Counter[str]()
        for reason, _, count in found:
            by_reason[reason] += count
        groups = [Group(reason=r, count=n) for r, n in by_reason.most_common()]
        return render_template(
            "dead_letters.html",
            lines=lines,
            query=query,
            groups=groups,
            total=by_reason.total(),
            queues={queue: QUEUES.get(queue, queue) for _, queue, _ in found},
            next_page=asking.next_page(page.next_cursor),
        )

    def dead_letter(self, dead_letter_id: int) -> ResponseReturnValue:
        """Show a dead letter with its message and its attempts."""
        path = asking.validated(
            dead_letters.DeadLetterPath, dead_letter_id=dead_letter_id
        )
        letter = self._letters.show_dead_letter(path)
        with self._store.read() as work:
            (line,) = _lines(work, [letter])
        text = letter.text
        if letter.message is not None:
            text = json.dumps(letter.message, indent=2, ensure_ascii=False)
        return render_template(
            "dead_letter.html",
            letter=letter,
            title=line.title,
            queue=QUEUES.get(letter.queue, letter.queue),
            text=text,
        )

    # -- acting -------------------------------------------------------------------

    def replay_letters(self) -> ResponseReturnValue:
        """Put dead letters back into their queues."""
        text = (
            "Each goes back into its queue and is looked at as if it were new. "
            "Guests get no mail."
        )
        is_one = len(request.form.getlist("ids")) == 1
        return self._act("Replay", text, self._replay, is_asked=not is_one)

    def discard_letters(self) -> ResponseReturnValue:
        """Forget dead letters."""
        text = (
            "They are gone for good. What they were about is looked at again only when "
            "it changes, or by a sync by hand."
        )
        return self._act("Discard", text, self._discard, is_asked=True)

    def _act(
        self,
        verb: str,
        text: str,
        act: Callable[[SelectionBody], None],
        *,
        is_asked: bool,
    ) -> ResponseReturnValue:
        selection = _selection(request.form)
        if selection is None:
            flash("Tick at least one dead letter first.", "danger")
            return redirect(_PATH, HTTPStatus.SEE_OTHER)
        if is_asked and not confirming.is_confirmed():
            return confirming.ask(self._question(verb, text, selection))
        try:
            act(selection)
        except problems.ProblemError as refusal:
            if refusal.code != HTTPStatus.NOT_FOUND:
                raise
            flash("Some of these are gone by now. Choose again.", "danger")
        return redirect(_PATH, HTTPStatus.SEE_OTHER)

    def _question(
        self, verb: str, text: str, selection: SelectionBody
    ) -> confirming.Question:
        with self._store.read() as work:
            found = _counted(work)
        fields = [("ids", str(each)) for each in selection.ids]
        number, of_reason = len(selection.ids), ""
        if not fields:
            reason = selection.reason
            number = sum(n for code, _, n in found if reason in {"", code})
            fields = [("reason", reason)] if reason else [("all", "yes")]
            of_reason = f" of the reason “{LABELS[reason].word}”" if reason else ""
        count = counted(number, "dead letter")
        return confirming.Question(
            title=f"{verb} {count}{of_reason}?",
            text=text,
            button=f"{verb} {count}",
            back=_PATH,
            fields=fields,
            is_final=verb == "Discard",
        )

    def _replay(self, selection: SelectionBody) -> None:
        done = self._letters.replay(selection)
        back = "dead letter is", "dead letters are"
        flash(f"{counted(done.replayed, *back)} in the queue again.", "success")
        if done.unreadable:
            told = counted(done.unreadable, "message")
            flash(f"{told} cannot be read by this version and stayed.", "danger")

    def _discard(self, selection: SelectionBody) -> None:
        done = self._letters.discard(selection)
        gone = counted(done.discarded, "dead letter is", "dead letters are")
        flash(f"{gone} discarded.", "success")


def _selection(form: MultiDict[str, str]) -> SelectionBody | None:
    """Return which ones a form means; None if it names none."""
    if form.get("reason"):
        return asking.validated(SelectionBody, reason=form["reason"])
    if form.get("all"):
        return asking.validated(SelectionBody, all=True)
    ids = [int(each) for each in form.getlist("ids") if each.isdecimal()]
    return asking.validated(SelectionBody, ids=ids) if ids else None


def _counted(work: UnitOfWork) -> Sequence[tuple[str, str, int]]:
    return work.dead_letters.count_reasons(
        identity.caller().organization_id, with_nobodys=dead_letters.sees_nobodys()
    )


def _lines(work: UnitOfWork, letters: Sequence[DeadLetterDocument]) -> Sequence[Line]:
    """Return the letters with the titles of what they are about."""
    named = zip(letters, naming.titles(work, letters), strict=True)
    return [Line(letter=letter, title=title) for letter, title in named]
