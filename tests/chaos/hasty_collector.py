"""``python -m tests.chaos.hasty_collector``: acknowledges first and commits a moment later. A campaign must find it."""

import sys
import time
from collections.abc import Iterable, Sequence

from collector import commands
from collector.__main__ import main
from collector.envelope import read, receipt, receipts
from collector.model import TAKEN, Answer
from collector.mqtt import Broker, Delivery
from protocol.messages import Ack, QueueEvent, Vote

_MOMENT_S = 0.4


class Hasty(Broker):
    def receive(self, *arguments: object) -> list[Delivery]:
        found = super().receive(*arguments)  # type: ignore[arg-type]
        if found:
            super().confirm(found, _too_early(found))
            self._wait(0.0, None)  # out with it
            time.sleep(_MOMENT_S)
        return found

    def confirm(self, deliveries: Iterable[Delivery], acks: Sequence[tuple[str, Ack]]) -> None:
        pass


def _too_early(found: list[Delivery]) -> list[tuple[str, Ack]]:
    answers = []
    for delivery in found:
        item = read(delivery.arrival)
        if isinstance(item.message, Vote | QueueEvent):
            room = "desk" if isinstance(item.message, Vote) else "queue"
            answers.append(Answer(TAKEN, receipt(room, item, item.message)))
    return receipts(answers)


if __name__ == "__main__":
    commands.Broker = Hasty  # type: ignore[misc]
    sys.exit(main())
