"""TheQ's side of its analytics, by the library that TheQ itself uses: the events and contexts that its
api/app/utilities/snowplow.py builds (commit 0faa6c2f, facts only), with an emitter of the caller's choice.
"""

import warnings
from dataclasses import dataclass
from typing import Any

from snowplow_tracker import SelfDescribingJson, Subject, Tracker
from snowplow_tracker.typing import EmitterProtocol

VENDOR = "iglu:ca.bc.gov.cfmspoc"
USERNAME = "idir-of-somebody"
VERSIONS = {"customerleft": "2-0-0", "finish": "2-0-0", "chooseservice": "3-0-0"}


class Kept:
    """An emitter that keeps the pairs it was given."""

    def __init__(self) -> None:
        self.pairs: list[dict[str, Any]] = []

    def input(self, payload: dict[str, Any]) -> None:
        self.pairs.append({key: str(payload[key]) for key in payload})

    def take(self, at_unix_ms: int) -> list[dict[str, str]]:
        """What was told since, as if it had been at that moment, a millisecond apart."""
        taken, self.pairs = self.pairs, []
        return [{**pairs, "dtm": str(at_unix_ms + place)} for place, pairs in enumerate(taken)]


@dataclass
class TheQTracker:
    emitter: EmitterProtocol
    encode_base64: bool = False  # as TheQ sets it

    def __post_init__(self) -> None:
        self._tracker = Tracker(
            "theq", self.emitter, subject=Subject(), app_id="TheQ", encode_base64=self.encode_base64
        )

    def tell(self, event: str, citizen: int, *, csr: int = 7, office: int = 61, sr: int = 1, **data: object) -> None:
        """One event of TheQ's, with its three contexts."""
        contexts = [
            self._json("citizen", "4-0-0", client_id=citizen, service_count=sr, counter_type="Counter"),
            self._json("office", "1-0-0", office_id=office, office_type="reception"),
            self._json("agent", "4-0-0", agent_id=csr, idir=USERNAME, role="CSR", counter_type="Counter"),
        ]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # TheQ calls it by this name
            self._tracker.track_self_describing_event(self._json(event, VERSIONS.get(event, "1-0-0"), **data), contexts)

    def choose(self, citizen: int, code: str = "MSP001", channel: str = "in-person", sr: int = 1, csr: int = 7) -> None:
        self.tell(
            "chooseservice", citizen, sr=sr, csr=csr, channel=channel, program_id=code, parent_id="MSP",
            program_name="Medical", transaction_name="Payment",
        )  # fmt: skip

    def appointment(self, citizen: int) -> None:
        self.tell("appointment_create", citizen, appointment_id=4, program_id="MSP001", parent_id="MSP")

    @staticmethod
    def _json(name: str, version: str, **data: object) -> SelfDescribingJson:
        return SelfDescribingJson(f"{VENDOR}/{name}/jsonschema/{version}", data)
