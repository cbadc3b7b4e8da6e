"""bytes <-> message, strictly: what decode() returns has been checked field by field. Knows no topics but their kind.

JSON differs between the two Pythons (key order, the exception's name, invalid JSON for unknown objects), so encoding
goes field by field and tests compare values, never bytes.
"""

import json

from protocol import VERSION
from protocol.errors import BadPayload, UnknownVersion
from protocol.messages import MESSAGES, Message

# The largest legal message of each kind fits (tests/portable prove it); a pad's receive buffer is 1 KB.
SIZE_LIMITS = {
    "call": 256,
    "vote": 256,
    "ack": 256,
    "status": 640,
    "health": 640,
    "command": 256,
    "settings": 256,
    "update": 256,
    "want": 256,
    "piece": 880,
    "event": 1024,
    "pulse": 256,
}


def encode(message: Message) -> bytes:
    """The payload of ``message``. Raises BadPayload if one of its fields breaks its rule."""
    fields: "dict[str, object]" = {"v": VERSION}
    if message.TAG:
        fields[message.TAG[0]] = message.TAG[1]
    for name, rule in message.FIELDS:
        value = getattr(message, name)
        problem = rule.problem(value)
        if problem:
            raise BadPayload("%s.%s %s" % (message.KIND, name, problem))
        fields[name] = value
    return json.dumps(fields).encode()


def decode(kind: str, payload: bytes) -> Message:
    """The message in ``payload``, which came on a topic of ``kind`` (see topics.parse).

    Raises BadPayload or UnknownVersion; nothing else, whatever the bytes are.
    """
    fields = _load(kind, payload)
    version = fields.pop("v", None)
    if type(version) is not int:
        raise BadPayload(kind + ": v must be an integer")
    if version != VERSION:
        raise UnknownVersion("%s: version %d is not %d" % (kind, version, VERSION))
    cls = _message_class(kind, fields)
    for name, rule in cls.FIELDS:
        if name not in fields:
            raise BadPayload("%s.%s is missing" % (kind, name))
        problem = rule.problem(fields[name])
        if problem:
            raise BadPayload("%s.%s %s" % (kind, name, problem))
    if len(fields) != len(cls.FIELDS):
        raise BadPayload(kind + " has a key that version %d does not know" % VERSION)
    return cls(**fields)


def _load(kind: str, payload: bytes) -> "dict[str, object]":
    limit = SIZE_LIMITS.get(kind)
    if limit is None:
        raise BadPayload("no such kind of message")
    if len(payload) > limit:
        raise BadPayload("%s has %d bytes, more than %d" % (kind, len(payload), limit))
    try:
        # RuntimeError: nesting too deep (RecursionError does not exist on the pad).
        fields = json.loads(bytes(payload).decode("utf-8"))
    except (ValueError, RuntimeError):
        raise BadPayload(kind + " is not JSON") from None
    if type(fields) is not dict:
        raise BadPayload(kind + " is not a JSON object")
    return fields


def _message_class(kind: str, fields: "dict[str, object]") -> "type[Message]":
    for cls in MESSAGES:
        if cls.KIND != kind:
            continue
        if cls.TAG is None:
            return cls
        key, value = cls.TAG
        if fields.get(key) == value:
            del fields[key]
            return cls
    raise BadPayload(kind + " has no known state")
