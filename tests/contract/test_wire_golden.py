"""protocol/ and its mirror in schemas/wire.py answer alike to every golden payload."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from protocol import codec, fields, messages
from protocol.errors import ProtocolError
from schemas.wire import MODELS, WireModel

GOLDEN = Path(__file__).parent.parent / "golden"
ACCEPTED = json.loads((GOLDEN / "accepted.json").read_text(encoding="utf-8"))
REFUSED = json.loads((GOLDEN / "refused.json").read_text(encoding="utf-8"))


def mirrored(kind: str, payload: bytes) -> WireModel | None:
    for model in MODELS[kind]:
        try:
            return model.model_validate_json(payload)
        except ValidationError:
            continue
    return None


def label(case: dict[str, str]) -> str:
    return f"{case['kind']}: {case['note']}"


@pytest.mark.parametrize("case", ACCEPTED, ids=label)
def test_both_decode_an_accepted_payload_to_the_same_values(case: dict[str, str]) -> None:
    payload = case["payload"].encode()
    message = codec.decode(case["kind"], payload)
    model = mirrored(case["kind"], payload)
    assert model is not None
    assert {name: getattr(message, name) for name, _ in message.FIELDS} == model.model_dump(exclude={"v", "state"}) | (
        {"state": message.state} if isinstance(message, messages.PadStatus) else {}
    )


@pytest.mark.parametrize("case", REFUSED, ids=label)
def test_both_refuse_a_refused_payload(case: dict[str, str]) -> None:
    payload = case["payload"].encode()
    with pytest.raises(ProtocolError):
        codec.decode(case["kind"], payload)
    # The mirror has no size limit: that one rule is the codec's alone.
    assert mirrored(case["kind"], payload) is None


def test_every_message_has_a_mirror_with_the_same_fields() -> None:
    mirrors = {model.__name__: model for models in MODELS.values() for model in models}
    assert set(mirrors) == {cls.__name__ for cls in messages.MESSAGES}
    for cls in messages.MESSAGES:
        tag = [cls.TAG[0]] if cls.TAG else []
        assert list(mirrors[cls.__name__].model_fields) == ["v", *tag, *[name for name, _ in cls.FIELDS]]


def test_integer_limits_are_the_same_on_both_sides() -> None:
    mirrors = {model.__name__: model for models in MODELS.values() for model in models}
    for cls in messages.MESSAGES:
        properties = mirrors[cls.__name__].model_json_schema()["properties"]
        for name, rule in cls.FIELDS:
            inner = rule.rule if isinstance(rule, fields.Maybe) else rule
            if isinstance(inner, fields.Int):
                found = properties[name].get("anyOf", [properties[name]])[0]
                assert (found["minimum"], found["maximum"]) == (inner.low, inner.high), (cls.__name__, name)
            if isinstance(inner, fields.OneOf):
                found = properties[name].get("anyOf", [properties[name]])[0]
                assert tuple(found["enum"]) == inner.values, (cls.__name__, name)
