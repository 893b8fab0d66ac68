"""The filters of `events.list` that look into an event."""

from deploy.demo.google import attendees, model, queries


def matches(query: queries.Query, copy: model.EventCopy) -> bool:
    """Whether an event passes type, text and extended-property filters."""
    kinds = query.texts("eventTypes")
    if kinds and copy.body["eventType"] not in kinds:
        return False
    properties = copy.body.get("extendedProperties", {})
    for scope in ("private", "shared"):
        wanted = query.texts(f"{scope}ExtendedProperty")
        if not _has_all(properties.get(scope, {}), wanted):
            return False
    return _contains(copy.body, query.text("q"))


def _has_all(properties: model.Json, wanted: list[str]) -> bool:
    # The reference says all must match, the guide says any (fact 34).
    pairs = (text.partition("=") for text in wanted)
    return all(properties.get(name) == value for name, _, value in pairs)


def _contains(body: model.Json, text: str) -> bool:
    if not text:
        return True
    parts = [str(body.get(n, "")) for n in ("summary", "description", "location")]
    parts.append(body["organizer"]["email"])
    for row in attendees.rows_of(body):
        parts += [row["email"], row.get("displayName", "")]
    everything = "\n".join(parts).casefold()
    return all(term in everything for term in text.casefold().split())
