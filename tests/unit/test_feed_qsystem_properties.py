"""A day at QSystem in any order, looked at now and then: after each look the desks are as the operators are."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.feed.calls import take
from collector.feed.intake import dated
from collector.feed.model import BranchState
from collector.feed.qsystem import LIST_OPERATORS, QSystem, names_of
from collector.feed.qsystem_users import Snapshot, dump, read_answer, restore, translate
from tests.feed_bench import NOON, SITE
from tests.qsystem_server import Client, Operator, QSystemServer

ASKING = json.dumps({"method": LIST_OPERATORS})
POINTS = {"1": "centre-1", "2": "centre-2"}
ENDS = ("FINISH", "DEAD", "REDIRECT", "POSTPONED", "BACK", "WAIT_COMPLEX_SERVICE", "INACCURATE_TIME")
STEP = st.tuples(st.sampled_from(("call", "call", "start", "end", "swap", "clear")), st.integers(0, 20))


class Day:
    """Two operators at two desks. ``waiting``: clients who went back to a queue, to be called again by anybody."""

    def __init__(self) -> None:
        self.now = NOON
        self.server = QSystemServer(lambda: self.now, serves=False)
        self.server.operators = {each: Operator(each, str(each)) for each in (1, 2)}
        self.names = names_of(QSystem(name="qs", host="x", desks=POINTS), SITE)
        self.snapshot: Snapshot | None = None
        self.calls = BranchState()
        self.waiting: list[Client] = []
        self.made = 0

    def step(self, what: str, choice: int) -> None:
        self.now += 20 + 113 * choice  # several within one of QSystem's seconds
        operator = 1 + choice % 2
        client = self.server.operators[operator].client
        if what == "call":
            self.server.invite(operator, self._next(choice))
        elif what == "start" and client:
            self.server.start(operator)
        elif what == "end" and client:
            state = ENDS[choice % len(ENDS)]
            self.server.end(operator, state, 18)
            if state not in ("FINISH", "DEAD", "INACCURATE_TIME"):
                self.waiting.append(client)
        elif what == "swap":
            one, two = self.server.operators[1], self.server.operators[2]
            one.point, two.point = two.point, one.point
        elif what == "clear":
            self.server.clear()
            self.waiting.clear()

    def look(self) -> None:
        self.now += 30
        said = translate(self.names, self.snapshot, read_answer(self.server.reply(ASKING)), self.now)
        self.snapshot = restore(dump(said.snapshot))
        for event in dated(said.events.get("centre", ()), self.now):
            self.calls = take(SITE.branches["centre"], self.calls, event).state

    def _next(self, choice: int) -> Client:
        if self.waiting and choice % 3 == 0:
            return self.waiting.pop(0)
        self.made += 1
        return Client(NOON - 600_000 + self.made, "А", 100 + self.made, 17)

    def served(self) -> dict[str, int]:
        """The desks at which somebody is being called or served, and who."""
        return {POINTS[each.point]: each.client.id for each in self.server.operators.values() if each.client}

    def armed(self) -> dict[str, int]:
        return {desk: int(call.ticket_key.split(":")[1]) for desk, call in self.calls.calls.items() if call.open}


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(STEP, st.booleans()), max_size=30))
def test_after_every_look_the_pads_are_armed_for_whoever_is_served(day: list[tuple[tuple[str, int], bool]]) -> None:
    happening = Day()
    happening.look()
    for (what, choice), looks in [*day, (("nothing", 0), True)]:
        happening.step(what, choice)
        if looks:
            happening.look()
            assert happening.armed() == happening.served()


KEYS = st.sampled_from(
    ("id", "result", "shadow", "point", "pause", "old_cust_state", "id_old_customer", "old_start_time", "old_fin_time")
)
PLAIN = st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(("STATE_WORK", "STATE_DEAD", "1"))
ANYTHING = st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner))
SHADOW = st.dictionaries(KEYS, PLAIN)
USER = st.fixed_dictionaries({"id": PLAIN}, optional={"point": PLAIN, "pause": PLAIN, "shadow": SHADOW | PLAIN})


@settings(max_examples=300, deadline=None)
@given(ANYTHING | st.fixed_dictionaries({"result": st.lists(USER, min_size=1)}))
def test_no_answer_whatever_ends_in_anything_but_an_outage(answer: object) -> None:
    names = names_of(QSystem(name="qs", host="x", desks=POINTS), SITE)
    try:
        look = read_answer(json.dumps(answer))
    except ValueError:
        return
    said = translate(names, None, look, NOON)
    again = translate(names, restore(said.snapshot.model_dump_json().encode()), look, NOON + 1000)
    assert not again.events
