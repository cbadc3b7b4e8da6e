"""collector/decoding.py takes what protocol/codec.py takes, as the same values, and refuses what it refuses."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from collector import decoding
from protocol import VERSION, codec
from protocol.errors import ProtocolError
from protocol.fields import Int, Maybe, OneOf, Rule, Text
from protocol.messages import Health, Message, PadStatus, QueueEvent, Vote

GOLDEN = Path(__file__).parents[1] / "golden"
HEARD = (Vote, QueueEvent, PadStatus, Health)
VOTE = b'{"v":1,"call":"1m7kq2w9f0abcdez","rating":3,"after_ms":41200,"journal":"deadbeef","boot":3,"seq":17}'

SPOILS = [b"\xff", b"\xc3", b"\x00", b'"', b"0", b"-", b".0", b"e0", b",", b"\\"]


def outcome(decode: Callable[[str, bytes], Message], kind: str, payload: bytes) -> Any:
    """The message with the type of every value (True equals 1), or the error in its own words."""
    try:
        message = decode(kind, payload)
    except ProtocolError as error:
        return type(error), str(error)
    values = [getattr(message, name) for name, _ in message.FIELDS]
    return type(message), [(type(value), value) for value in values]


def both_say_the_same(kind: str, payload: bytes) -> None:
    assert outcome(decoding.decode, kind, payload) == outcome(codec.decode, kind, payload), payload


# ---- payloads: what a rule allows, what it only just does not, and anything; then the text itself is spoilt
def allowed(rule: Rule) -> st.SearchStrategy[Any]:
    match rule:
        case Int():
            edges = st.sampled_from([rule.low, rule.high, rule.low - 1, rule.high + 1])
            return st.integers(rule.low, rule.high) | edges
        case OneOf():
            return st.sampled_from(rule.values)
        case Text():
            return st.text(rule.alphabet, min_size=rule.low, max_size=rule.high)
        case Maybe():
            return st.none() | allowed(rule.rule)
    raise TypeError(rule)


odd_text = st.text(max_size=20) | st.sampled_from(["", "-", "-a", "a-", "a--b", "a\x00", "é", "１", "a" * 41, "\ud800"])
odd_number = st.integers() | st.floats() | st.sampled_from([0, -0.0, 1.0, 1e3, 2**63, 2**64, -(2**63) - 1, 10**25])
anything = st.recursive(
    st.none() | st.booleans() | odd_number | odd_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(odd_text, inner, max_size=3),
    max_leaves=4,
)


@st.composite
def payloads(draw: st.DrawFn, cls: type[Message]) -> bytes:
    pairs: list[tuple[str, Any]] = [("v", draw(st.sampled_from([VERSION] * 8 + [2, True, 1.0, None, "1"])))]
    for name, rule in cls.FIELDS:
        usual = draw(st.integers(0, 19))
        pairs.append((name, draw(anything if usual == 0 else odd_text | odd_number if usual == 1 else allowed(rule))))
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        how = draw(st.sampled_from(["twice", "leave", "add", "order"]))
        place = draw(st.integers(0, len(pairs) - 1)) if pairs else 0
        if how == "twice":  # a key that comes again, with another value or the same
            pairs.insert(draw(st.integers(0, len(pairs))), (pairs[place][0], draw(anything | st.just(pairs[place][1]))))
        elif how == "leave" and len(pairs) > 1:
            del pairs[place]
        elif how == "add":
            pairs.insert(place, (draw(odd_text), draw(anything)))
        else:
            pairs = draw(st.permutations(pairs))
    return spoilt(draw, written(draw, pairs))


def written(draw: st.DrawFn, pairs: list[tuple[str, Any]]) -> str:
    """JSON, with white space between and with letters as escapes here and there."""
    ascii_only = draw(st.booleans())
    space = st.sampled_from(["", "", "", " ", "\n", "\t\r "])

    def word(value: Any) -> str:
        text = json.dumps(value, ensure_ascii=ascii_only)
        if isinstance(value, str) and value.isascii() and value.isalnum() and draw(st.integers(0, 9)) == 0:
            text = '"' + "".join(f"\\u{ord(letter):04x}" for letter in value) + '"'
        return text

    inside = ",".join(f"{draw(space)}{word(key)}{draw(space)}:{draw(space)}{word(value)}" for key, value in pairs)
    return f"{draw(space)}{{{inside}{draw(space)}}}{draw(space)}"


def spoilt(draw: st.DrawFn, text: str) -> bytes:
    payload = bytearray(text.encode("utf-8", "surrogatepass"))
    for _ in range(draw(st.sampled_from([0, 0, 0, 0, 1, 2]))):
        place = draw(st.integers(0, len(payload) - 1)) if payload else 0
        how = draw(st.sampled_from(["change", "insert", "cut", "double"]))
        if how == "change" and payload:
            payload[place] = draw(st.integers(0, 255))
        elif how == "insert":
            payload[place:place] = draw(
                st.sampled_from([b"\xff", b"\x00", b'"', b"0", b"-", b".0", b"e0", b",", b"\xc3"])
            )
        elif how == "cut":
            del payload[place:]
        elif how == "double":
            payload += payload[place:]
    return bytes(payload)


@pytest.mark.parametrize("cls", HEARD, ids=lambda cls: cls.__name__)
def test_both_decoders_say_the_same_of_every_payload(cls: type[Message]) -> None:
    @settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(payloads(cls))
    def check(payload: bytes) -> None:
        both_say_the_same(cls.KIND, payload)

    check()


@pytest.mark.parametrize("cls", HEARD, ids=lambda cls: cls.__name__)
def test_the_quick_way_takes_what_is_right(cls: type[Message]) -> None:
    """Were it to leave everything to the codec, it would be right, and useless."""
    fits = st.fixed_dictionaries({name: allowed(rule) for name, rule in cls.FIELDS})

    @settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(fits)
    def check(values: dict[str, Any]) -> None:
        payload = json.dumps({"v": VERSION} | values).encode()
        said = outcome(codec.decode, cls.KIND, payload)
        quick = decoding._QUICK[cls.KIND](payload)
        assert (quick is not None) == (said[0] is cls), payload

    check()


@pytest.mark.parametrize("file", ["accepted.json", "refused.json"])
def test_both_decoders_say_the_same_of_the_golden_payloads(file: str) -> None:
    for case in json.loads((GOLDEN / file).read_text(encoding="utf-8")):
        both_say_the_same(case["kind"], case["payload"].encode())


@given(st.binary(max_size=80))
@example(b"")
@example(VOTE)
@example(b" " * 200 + VOTE)  # too long, though only by white space
@example(b"\xef\xbb\xbf" + VOTE)  # with a mark of byte order
@example(VOTE.decode().encode("utf-16"))
@example(VOTE.replace(b"3", b"3.0", 1))
@example(VOTE.replace(b"3", b"-0", 1))
@example(VOTE.replace(b"3,", b"03,", 1))
@example(VOTE.replace(b":3", b":3e0", 1))
@example(VOTE.replace(b":3", b":true", 1))
@example(VOTE.replace(b'"boot"', b'"rating":1,"boot"'))
@example(VOTE.replace(b'"boot"', b'"rating":9,"boot"'))
@example(VOTE.replace(b'"rating":3', b'"rating":9,"rating":3'))
@example(VOTE.replace(b"deadbeef", b"dead\xffeef"))
@example(VOTE.replace(b"deadbeef", b"dead\\u0062eef"))
@example(VOTE.replace(b"deadbeef", b"deadbee\x00"))
@example(VOTE.replace(b'"v":1', b'"v":' + b"[" * 100 + b"]" * 100))
@example(VOTE.replace(b"41200", b"1" * 100))
@example(b'{"v":1,"call":{"call":' * 9)
def test_both_decoders_say_the_same_of_any_bytes(payload: bytes) -> None:
    both_say_the_same("vote", payload)
