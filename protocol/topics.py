"""Builds and parses topics and subscription filters: the only code that joins topic levels with "/"."""

from protocol import VERSION
from protocol.errors import BadTopic
from protocol.fields import NAME

ROOT = "zrazkovo/%d" % VERSION
DESK_KINDS = ("call", "vote", "ack", "status", "health", "command", "settings", "update", "want", "piece")
QUEUE_KINDS = ("event", "ack", "pulse")


def desk(name: str, kind: str) -> str:
    """The topic of ``kind`` at one desk. Raises BadTopic for a name or kind that is not legal."""
    return _topic("desk", name, kind, DESK_KINDS)


def queue(branch: str, kind: str) -> str:
    """The topic of ``kind`` of one branch's queue. Raises BadTopic for a name or kind that is not legal."""
    return _topic("queue", branch, kind, QUEUE_KINDS)


def every_desk(kind: str) -> str:
    """The subscription filter for ``kind`` at all desks."""
    return "%s/desk/+/%s" % (ROOT, kind)


def every_queue(kind: str) -> str:
    """The subscription filter for ``kind`` of all branches' queues."""
    return "%s/queue/+/%s" % (ROOT, kind)


def shared(group: str, topic_filter: str) -> str:
    """The filter by which the members of ``group`` share what ``topic_filter`` matches: each message goes to one.

    MQTT 5 section 4.8.2; Mosquitto 2 grants it to clients of 3.1.1 too.
    """
    return "/".join(("$share", group, topic_filter))


def parse(topic: str) -> "tuple[str, str, str]":
    """(room, name, kind), with room "desk" or "queue". Raises BadTopic for every other topic."""
    if len(topic) > 80 or not topic.startswith(ROOT + "/"):
        raise BadTopic("not a topic of " + ROOT)
    levels = topic[len(ROOT) + 1 :].split("/")
    if len(levels) != 3:
        raise BadTopic("not a topic of " + ROOT)
    room, name, kind = levels
    if room not in ("desk", "queue") or kind not in (DESK_KINDS if room == "desk" else QUEUE_KINDS):
        raise BadTopic("no such room or kind")
    problem = NAME.problem(name)
    if problem:
        raise BadTopic("the name " + problem)
    return room, name, kind


def _topic(room: str, name: str, kind: str, kinds: "tuple[str, ...]") -> str:
    problem = NAME.problem(name)
    if problem:
        raise BadTopic("the %s's name %s" % (room, problem))
    if kind not in kinds:
        raise BadTopic("no such kind of topic at a %s: %s" % (room, kind))
    return "/".join((ROOT, room, name, kind))
