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


def test_without_network_keys_the_pad_shares_its_hosts_network_and_asks_nobody_for_names_or_time():
    config = parse(json.dumps(GOOD).encode())
    assert (config.network, config.address, config.dns, config.ntp) == ("none", None, (), None)


def test_wifi_and_static_addresses_are_taken():
    config = parse(json.dumps(changed(**WIFI)).encode())
    assert (config.network, config.wifi_ssid, config.wifi_password) == ("wifi", "ЦНАП 1", "eight or more")
    assert (config.address, config.gateway) == ("10.1.2.3/24", "10.1.2.1")
    assert config.dns == (("10.1.2.1", 53), ("10.1.2.2", 5353))
    assert config.ntp == ("time.example", 123)


WIFI = {
    "network": "wifi",
    "wifi_ssid": "ЦНАП 1",
    "wifi_password": "eight or more",
    "address": "10.1.2.3/24",
    "gateway": "10.1.2.1",
    "dns": ["10.1.2.1", "10.1.2.2:5353"],
    "ntp_host": "time.example",
}


def test_a_wrong_network_key_is_named():
    wrong = {
        "network": ("lan", 1, None),
        "wifi_ssid": (1, "", "s" * 33, "ї" * 17),
        "wifi_password": (1, "seven77", "p" * 64, "пароль-пароль"),
        "address": ("10.1.2.3", "10.1.2/24", "10.1.2.3/31", "10.1.2.3/0", "10.1.2.256/24", 1),
        "gateway": ("router", "10.1.2.1/24", 1),
        "dns": ("10.1.2.1", [], ["a"], ["10.1.2.1", "10.1.2.2", "10.1.2.3"], [1], ["10.1.2.1:0"], ["10.1.2.1:x"]),
        "ntp_host": (1, "", ":123", "time:", "time:99999", "two words"),
    }
    for key, values in wrong.items():
        for value in values:
            problem = problem_with(changed(**dict(WIFI, **{key: value})))
            assert problem and problem.startswith("pad.json: %s " % key), (key, value, problem)


def test_keys_that_need_or_exclude_one_another_are_named():
    for fields, wanted in (
        ({"network": "wifi"}, "wifi_ssid is missing"),
        ({"wifi_ssid": "x"}, "wifi_ssid is for network wifi only"),
        ({"network": "ethernet", "wifi_ssid": "x"}, "wifi_ssid is for network wifi only"),
        ({"network": "ethernet", "wifi_password": "12345678"}, "wifi_password without wifi_ssid"),
        ({"network": "ethernet", "address": "10.1.2.3/24"}, "address and gateway go together"),
        ({"network": "ethernet", "gateway": "10.1.2.1"}, "address and gateway go together"),
        ({"address": "10.1.2.3/24", "gateway": "10.1.2.1"}, "address is for network wifi or ethernet only"),
    ):
        assert problem_with(changed(**fields)) == "pad.json: " + wanted
