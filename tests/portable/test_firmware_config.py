"""pad.json: what is accepted, and that every refusal names the key and never its value."""

import json

from firmware.board.config import ConfigError, parse

GOOD = {"desk": "desk-1", "broker_host": "10.0.0.1", "broker_port": 1883, "password": "pa55word"}


def problem_with(text):
    try:
        parse(text if isinstance(text, bytes) else json.dumps(text).encode())
    except ConfigError as error:
        return str(error)
    return None


def changed(**fields):
    found = dict(GOOD)
    found.update(fields)
    return found


def test_the_four_needed_keys_are_enough():
    config = parse(json.dumps(GOOD).encode())
    assert (config.desk, config.broker_host, config.broker_port) == ("desk-1", "10.0.0.1", 1883)
    assert (config.password, config.keepalive_s, config.reconnect_max_s) == ("pa55word", 20, 30)


def test_optional_keys_are_taken():
    config = parse(json.dumps(changed(keepalive_s=5, reconnect_max_s=1)).encode())
    assert (config.keepalive_s, config.reconnect_max_s) == (5, 1)


def test_a_missing_key_is_named():
    for key in GOOD:
        fields = dict(GOOD)
        del fields[key]
        assert problem_with(fields) == "pad.json: %s is missing" % key


def test_an_unknown_key_is_named():
    assert problem_with(changed(brokr_port=1)) == "pad.json: no such key: brokr_port"


def test_a_wrong_type_or_range_is_named_and_the_value_is_not_repeated():
    wrong = {
        "desk": (1, None, "", "Desk 1", "-desk", "d" * 41, "d/e", "+"),
        "broker_host": (1, "", "a b", "h" * 254, "\u0445"),
        "broker_port": ("1883", 0, 65536, True, 1.5, None),
        "password": (1, "", "two words", None, "p" * 129),
        "keepalive_s": (4, 601, "20", None),
        "reconnect_max_s": (0, 301, "30", False),
    }
    for key, values in wrong.items():
        for value in values:
            problem = problem_with(changed(**{key: value}))
            assert problem and problem.startswith("pad.json: %s " % key), (key, value, problem)
            assert "two words" not in problem


def test_what_is_not_a_json_object_is_refused():
    for text in (b"", b"{", b"\xff\xfe", b"[]", b"1", b"null", b'"desk"', b"[" * 2000):
        assert problem_with(text) in ("pad.json is not JSON", "pad.json is not a JSON object"), text
