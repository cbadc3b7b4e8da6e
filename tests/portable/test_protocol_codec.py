"""The codec under both Pythons: plain functions, no pytest. Every message survives; every bad payload is refused."""

import json

from protocol import codec, messages
from protocol.errors import BadPayload, ProtocolError, UnknownVersion

CALL = "0123456789abcdef"[:15] + "z"
T = 1795305600000
VOTE = {"v": 1, "call": CALL, "rating": 3, "after_ms": 1500, "journal": "deadbeef", "boot": 1, "seq": 7}


def examples():
    """One ordinary and one largest instance of each message."""
    name = "n" * 40
    word = "W" * 40
    big = 4294967295
    last = 4102444800000
    return [
        messages.CallOpened(CALL, T, T + 1),
        messages.CallOpened(CALL, last, last),
        messages.CallClosed(None, T),
        messages.CallClosed(CALL, last),
        messages.Vote(CALL, 1, 0, "00000000", 0, 0),
        messages.Vote(CALL, 3, 86400000, "ffffffff", big, big),
        messages.Ack("deadbeef", 12, T),
        messages.Ack("deadbeef", big, last),
        messages.PadStatus("online", "dark", None, "deadbeef", 1, "0.1.0", "power", "ok", "ok", "ok"),
        messages.PadStatus(
            "offline",
            "voted",
            CALL,
            "deadbeef",
            big,
            word,
            "watchdog",
            "unverified",
            "unverified",
            "fault",
            "low",
            "unset",
            "self_test",
            "rolled_back",
            "normal",
            word,
        ),
        messages.Health(1, 2, 3, None, 4, 5, 6, 7, 8, 9, 10, 11),
        messages.Health(big, big, big, -127, big, big, big, big, big, big, big, big, big, -last, big),
        messages.Command("a", "identify"),
        messages.Command("x" * 64, "identify"),
        messages.Settings(),
        messages.Settings(100, 100, 3600),
        messages.UpdateOffered("1.2.3", "0" * 64),
        messages.UpdateOffered(word, "f" * 64),
        messages.UpdateWithdrawn(),
        messages.Want("0" * 64, 0),
        messages.Want("f" * 64, big),
        messages.Piece("0" * 64, 0, 0, ""),
        messages.Piece("f" * 64, big, big, "A" * 672),
        messages.Pulse(0, 0, 0, 0),
        messages.Pulse(big, big, big, big, last),
        messages.QueueEvent("e1", "deadbeef", 1, "issued", T),
        messages.QueueEvent(
            "e" * 64,
            "deadbeef",
            big,
            "operator_opened",
            last,
            CALL,
            last,
            name,
            name,
            name,
            word,
            "called_elsewhere",
        ),
    ]


def refused(kind, payload, error=BadPayload):
    try:
        codec.decode(kind, payload)
    except error:
        return True
    return False


def altered(**changes):
    fields = dict(VOTE)
    fields.update(changes)
    return json.dumps(fields).encode()


def test_every_message_comes_back_equal():
    for message in examples():
        assert codec.decode(message.KIND, codec.encode(message)) == message, message


def test_every_largest_message_fits_its_limit():
    for message in examples():
        assert len(codec.encode(message)) <= codec.SIZE_LIMITS[message.KIND], message


def test_ratings_other_than_one_to_three_are_refused():
    for rating in (0, 4, -1, True, False, "3", 3.0, None, [3], {"a": 1}):
        assert refused("vote", altered(rating=rating)), rating


def test_a_float_is_never_an_integer():
    assert refused(
        "vote",
        b'{"v":1,"call":"0123456789abcdez","rating":1e0,"after_ms":1,"journal":"deadbeef","boot":1,"seq":1}',
    )
    assert refused("vote", altered().replace(b"1500", b"1e400"))
    assert refused("vote", altered().replace(b"1500", b"NaN"))


def test_another_version_is_told_apart_from_a_bad_payload():
    assert refused("vote", altered(v=2), UnknownVersion)
    assert refused("vote", altered(v=0), UnknownVersion)
    for version in ("1", True, None, 1.0):
        assert refused("vote", altered(v=version)), version


def test_a_missing_or_unknown_key_is_refused():
    for key in VOTE:
        fields = dict(VOTE)
        del fields[key]
        assert refused("vote", json.dumps(fields).encode()), key
    assert refused("vote", altered(extra=1))


def test_bytes_that_are_not_a_json_object_are_refused():
    whole = altered()
    for payload in (
        b"",
        b"{",
        b"null",
        b"[]",
        b"7",
        b'"x"',
        b"\x00",
        b"\xff\xfe",
        b"{}",
        b"[" * 200,
        whole + b"x",
    ):
        assert refused("vote", payload), payload
    for cut in range(len(whole)):
        assert refused("vote", whole[:cut]), cut


def test_a_huge_payload_is_refused_before_it_is_parsed():
    assert refused("vote", b"[" * 1000000)
    assert refused("event", b" " * 1025)


def test_identifiers_outside_their_alphabet_or_length_are_refused():
    for call in ("", "a" * 15, "a" * 17, "a" * 10000, "a/b+c#d\x00aaaaaaaaa", "A" * 16, "i" * 16):
        assert refused("vote", altered(call=call)), call
    for journal in ("deadbee", "DEADBEEF", "deadbeeg", 3735928559, None):
        assert refused("vote", altered(journal=journal)), journal


def test_times_of_the_past_century_are_refused():
    for moment in (0, -1, 946684799000, 1577836799999, 4102444800001):
        payload = json.dumps({"v": 1, "state": "closed", "call": None, "closed_unix_ms": moment}).encode()
        assert refused("call", payload), moment


def test_a_call_without_a_known_state_is_refused():
    for state in (None, "opened", 1, True):
        payload = json.dumps({"v": 1, "state": state, "call": None, "closed_unix_ms": T}).encode()
        assert refused("call", payload), state


def test_an_unknown_kind_is_refused():
    assert refused("weather", b"{}")


def test_encoding_a_message_with_a_bad_field_is_refused():
    for rating in (0, 4, True, "3"):
        message = messages.Vote(CALL, rating, 1, "deadbeef", 1, 1)
        try:
            codec.encode(message)
        except ProtocolError:
            continue
        assert False, message
