"""The AsyncAPI 3.0 document of the MQTT side, made from the topics, the access table and the pydantic mirror. Pure."""

from typing import Any

from protocol import VERSION, access, codec, topics
from schemas.wire import MODELS, WireModel

Document = dict[str, Any]

_ADDRESSES = {
    **{("desk", kind): f"{topics.ROOT}/desk/{{desk}}/{kind}" for kind in topics.DESK_KINDS},
    **{("queue", kind): f"{topics.ROOT}/queue/{{branch}}/{kind}" for kind in topics.QUEUE_KINDS},
}
_RETAINED = {"call", "ack", "status", "settings", "update"}
_UNCONFIRMED = {"health", "want", "piece"}


def document() -> Document:
    """The whole document as plain values, ready for JSON."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Zrazkovo: pads, feeds and the collector",
            "version": str(VERSION),
            "description": "Who says what over MQTT. Writers of what must not be lost (votes, queue events) "
            "publish their oldest unacknowledged item until an Ack of their journal covers it.",
        },
        "defaultContentType": "application/json",
        "channels": {f"{room}-{kind}": _channel(room, kind) for room, kind in _ADDRESSES},
        "operations": _operations(),
        "components": {"messages": {model.__name__: _message(kind, model) for kind, model in _models()}},
    }


def _models() -> list[tuple[str, type[WireModel]]]:
    return [(kind, model) for kind, models in MODELS.items() for model in models]


def _message(kind: str, model: type[WireModel]) -> Document:
    return {
        "name": model.__name__,
        "summary": (model.__doc__ or "").strip(),
        "payload": model.model_json_schema(),
        "x-size-limit-bytes": codec.SIZE_LIMITS[kind],
    }


def _channel(room: str, kind: str) -> Document:
    name = "desk" if room == "desk" else "branch"
    return {
        "address": _ADDRESSES[room, kind],
        "parameters": {name: {"description": f"The {name}'s id."}},
        "messages": {model.__name__: {"$ref": f"#/components/messages/{model.__name__}"} for model in MODELS[kind]},
    }


def _operations() -> Document:
    """One operation a rule of the access table: what each party sends and receives."""
    rules = [("pad", action, ("desk", kind)) for action, kind in access.PAD_RULES]
    for user, server_rules in access.SERVER_RULES.items():
        for action, topic in server_rules:
            room, _, kind = topic[len(topics.ROOT) + 1 :].split("/")
            rules.append((user, action, (room, kind)))
    return {
        f"{party}-{'sends' if action == access.WRITE else 'receives'}-{room}-{kind}": {
            "action": "send" if action == access.WRITE else "receive",
            "channel": {"$ref": f"#/channels/{room}-{kind}"},
            "bindings": {"mqtt": {"qos": 0 if kind in _UNCONFIRMED else 1, "retain": kind in _RETAINED}},
        }
        for party, action, (room, kind) in sorted(rules)
    }
