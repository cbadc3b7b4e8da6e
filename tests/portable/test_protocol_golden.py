"""The golden payloads under both Pythons; tests/contract holds the pydantic mirror to the same files."""

import json

from protocol import codec
from protocol.errors import ProtocolError

FOLDER = (__file__.rsplit("/", 1)[0] if "/" in __file__ else ".") + "/../golden/"


def cases(name):
    with open(FOLDER + name, encoding="utf-8") as file:
        return json.load(file)


def test_every_accepted_payload_decodes_and_survives_encoding():
    for case in cases("accepted.json"):
        message = codec.decode(case["kind"], case["payload"].encode())
        assert codec.decode(case["kind"], codec.encode(message)) == message, case["note"]


def test_every_refused_payload_is_refused():
    for case in cases("refused.json"):
        try:
            codec.decode(case["kind"], case["payload"].encode())
        except ProtocolError:
            continue
        assert False, case["note"]
