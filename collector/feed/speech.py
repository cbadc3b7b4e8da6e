"""Collects what one look at a queue system says: events by branch, and words that our tables do not know. Pure.

Every adapter's translation ends in this; what an adapter knows of its system stays in its own file.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from collector.feed.calls import pseudonym
from collector.feed.model import Event
from protocol.fields import EVENT_ID

MOST_WORD = 40  # characters of a word of theirs that our log may show


@dataclass(slots=True)
class Speech:
    """What ``source`` says. Tickets leave as pseudonyms keyed with ``ticket_secret``."""

    source: str
    ticket_secret: str = field(repr=False)
    events: dict[str, list[Event]] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)

    def say(
        self,
        branch: str,
        kind: str,
        at_unix_ms: int,
        parts: Iterable[object],
        *,
        ticket_key: str | None = None,
        desk: str | None = None,
        operator: str | None = None,
        service: str | None = None,
    ) -> None:
        """One event. ``parts``: what tells it from every other of this source, the same however often it is seen."""
        self.events.setdefault(branch, []).append(
            Event(
                event=event_id(self.source, *parts),
                type=kind,
                occurred_unix_ms=at_unix_ms,
                desk=desk,
                ticket_key=ticket_key,
                ticket=pseudonym(self.ticket_secret, branch, ticket_key) if ticket_key else None,
                operator=operator,
                service=service,
            )
        )

    def wonder(self, what: str) -> None:
        self.unknown.add(what)

    def named(self, table: Mapping[str, str], what: str, word: object, effect: str) -> str | None:
        """Our name for a word of theirs; None, and wondered at, for a word that ``table`` does not have."""
        if word is None or word == "":
            return None
        found = table.get(str(word))
        if found is None:
            self.wonder(f"{what} {shown(word)} ({effect})")
        return found


def event_id(source: str, *parts: object) -> str:
    """Readable if it may be an event id as it is, a hash behind the source's name if not."""
    plain = ":".join((source, *(str(part) for part in parts)))
    if EVENT_ID.problem(plain) is None:
        return plain
    exact = "\0".join(str(part) for part in parts)
    return f"{source}:{hashlib.sha256(exact.encode()).hexdigest()[:40]}"


def shown(word: object) -> str:
    """A word of theirs as a log may show it: short, on one line."""
    text = str(word)
    printable = "".join(each if each.isprintable() else "?" for each in text[:MOST_WORD])
    return f"{printable!r}" + ("..." if len(text) > MOST_WORD else "")


def merged(parts: Iterable[Mapping[str, Sequence[Event]]]) -> dict[str, list[Event]]:
    """Several looks as one."""
    found: dict[str, list[Event]] = {}
    for part in parts:
        for branch, events in part.items():
            found.setdefault(branch, []).extend(events)
    return found
