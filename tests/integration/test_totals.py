"""Months, the mix and the comparison of all sums, on real databases: they follow every late word, or it is told."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from collector.feed.steps import call_id
from collector.rollup import AMOUNTS, CUTS
from collector.store import Arrival, Rollup, Store
from collector.store.engine import make_engine, writing
from protocol import codec, topics
from protocol.messages import QueueEvent, Vote
from schemas.periods import Period, bounds, day_date, day_key
from tests.bench.filled import Office, fill
from tests.integration.meanwhile import while_two_tell

OFFICE = Office(branches=2, desks=3)
BRANCH, DESK = "branch-001", "branch-001-01"
# Two months and some days from the sixth of January 2020 on.
CALLS = OFFICE.daily * 56
NOW_UNIX_MS = int(datetime(2020, 3, 12, 3, tzinfo=UTC).timestamp() * 1000)
FEBRUARY = datetime(2020, 2, 14, 11, 30, tzinfo=ZoneInfo("Europe/Kyiv"))


@pytest.fixture
def url(any_database: str) -> str:
    fill(any_database, CALLS, OFFICE)
    return any_database


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store.open(url) as store:
        yield store


@pytest.fixture
def tamper(url: str) -> Callable[[str], None]:
    def change(statement: str) -> None:
        engine = make_engine(url)
        with writing(engine) as connection:
            connection.execute(text(statement))
        engine.dispose()

    return change


def visit(store: Store, at: datetime, seq: int, rating: int | None = 1, outcome: str = "finished") -> None:
    """A call of whoever serves at DESK, told and rated long after it was."""
    called = int(at.timestamp() * 1000)
    call = call_id(BRANCH, DESK, f"late {seq}", called)
    arrivals = []
    for number, kind in enumerate(("called", outcome)):
        event = QueueEvent(
            f"late-{seq}-{number}", "0badcafe", 2 * seq + number, kind, called, call=call, called_unix_ms=called,
            desk=DESK, operator="op-00000", service="service-01",
        )  # fmt: skip
        arrivals.append(Arrival(topics.queue(BRANCH, "event"), codec.encode(event), NOW_UNIX_MS))
    if rating is not None:
        vote = Vote(call, rating, 4000, "0000late".replace("l", "1").replace("t", "7"), 1, seq)
        arrivals.append(Arrival(topics.desk(DESK, "vote"), codec.encode(vote), NOW_UNIX_MS))
    for arrival in arrivals:
        (answer,) = store.ingest([arrival])
        assert answer.disposition == "taken", answer


Sums = dict[tuple[str, str, int], tuple[int, ...]]
LONGER = (Period.WEEK, Period.MONTH, Period.QUARTER, Period.YEAR)


def added_up(rows: list[Rollup], period: Period) -> Sums:
    """Days by the week, month, quarter or year they lie in, as the store calls it."""
    sums: dict[tuple[str, str, int], Counter[str]] = {}
    for row in rows:
        first = day_key(bounds(day_date(row.day), period)[0])
        span = first if period is Period.WEEK else first // 100
        sums.setdefault((row.branch, row.key, span), Counter()).update({name: getattr(row, name) for name in AMOUNTS})
    return {key: tuple(row[name] for name in AMOUNTS) for key, row in sums.items()}


def as_they_are(rows: list[Rollup]) -> Sums:
    assert rows == sorted(rows, key=lambda row: (row.day, row.branch, row.key))
    assert all(type(amount) is int for row in rows for amount in row[2:])
    return {(row.branch, row.key, row.day): row[3:] for row in rows}


def agree(store: Store) -> bool:
    return all(
        as_they_are(store.rollups(cut, 20191230, 20200405, period=period))
        == added_up(store.rollups(cut, 20191230, 20200405), period)
        for cut in CUTS
        for period in LONGER
    )


# ---- months
def everything(store: Store) -> list[list[Rollup]]:
    return [store.rollups(cut, 20200101, 20201231, period=period) for cut in CUTS for period in LONGER]


def test_longer_periods_say_what_their_days_do_before_and_after(store: Store) -> None:
    before = everything(store)
    assert store.totals.consolidate(NOW_UNIX_MS) == [202001, 202002, 202003]
    assert store.totals.consolidate(NOW_UNIX_MS) == []
    assert everything(store) == before
    assert agree(store)


@pytest.mark.parametrize("consolidated", [False, True])
def test_periods_begin_and_end_where_they_are_asked_to(store: Store, consolidated: bool) -> None:
    if consolidated:
        store.totals.consolidate(NOW_UNIX_MS)
    for days in (
        (20200101, 20200229), (20200110, 20200311), (20200201, 20200215), (20200203, 20200204), (20200201, 20200309),
        (20200301, 20200310), (20200301, 20200331), (20200201, 20200201), (20200106, 20200310), (20200108, 20200109),
        (20191230, 20200119), (20200105, 20200106), (20190101, 20200310), (20200101, 20200311), (20200101, 20201231),
    ):  # fmt: skip
        for cut, branch, key in (
            ("branch", BRANCH, None), ("desk", None, DESK), ("operator", BRANCH, "op-00000"), ("service", None, None),
        ):  # fmt: skip
            for period in LONGER:
                rows = store.rollups(cut, *days, branch=branch, key=key, period=period)
                daily = store.rollups(cut, *days, branch=branch, key=key)
                assert as_they_are(rows) == added_up(daily, period), (days, cut, period)


def test_all_branches_as_one_are_the_sum_of_each(store: Store) -> None:
    store.totals.consolidate(NOW_UNIX_MS)
    for cut in CUTS:
        for period in Period:
            sums: dict[tuple[str, int], Counter[str]] = {}
            for row in store.rollups(cut, 20200110, 20200310, period=period):
                key = "" if cut == "branch" else row.key
                sums.setdefault((key, row.day), Counter()).update({name: getattr(row, name) for name in AMOUNTS})
            rows = store.rollups(cut, 20200110, 20200310, everywhere=True, period=period)
            assert {(row.key, row.day): row[3:] for row in rows} == {
                place: tuple(amounts[name] for name in AMOUNTS) for place, amounts in sums.items()
            }
            assert {row.branch for row in rows} == {""}


def test_every_night_takes_in_the_days_since_the_last(store: Store) -> None:
    before = everything(store)
    for day, months in ((20200112, [202001]), (20200131, [202001]), (20200201, [202001]), (20200203, [202002])):
        at = datetime(day // 10000, day // 100 % 100, day % 100, 1, tzinfo=UTC)
        assert store.totals.consolidate(int(at.timestamp() * 1000)) == months
        assert everything(store) == before
        visit(store, datetime(2020, 1, 10, 12, tzinfo=UTC), day, rating=None)  # into a day that is in by now
        visit(store, datetime(2020, 2, 10, 12, tzinfo=UTC), day, rating=None)  # and one that is not
        assert agree(store) and store.recount() == []
        before = everything(store)


def test_a_late_word_changes_a_day_and_every_period_with_it_together(store: Store) -> None:
    store.totals.consolidate(NOW_UNIX_MS)
    visit(store, FEBRUARY, 1)
    visit(store, FEBRUARY.replace(month=3), 2)
    visit(store, FEBRUARY.replace(hour=12), 3, rating=None, outcome="no_show")
    visit(store, FEBRUARY.replace(month=1, day=2), 4, rating=2)  # a day that had no figures
    assert agree(store)
    assert store.recount() == []


def test_a_vote_that_comes_while_a_month_is_taken_in_is_in_it(url: str, store: Store) -> None:
    def one(own: Store, number: int) -> None:
        visit(own, FEBRUARY.replace(minute=number % 60, second=number // 60), number)

    while_two_tell(url, one, lambda: store.totals.consolidate(NOW_UNIX_MS))
    assert agree(store) and store.recount() == []


def test_a_month_that_is_not_the_sum_of_its_days_is_told_and_mended_when_asked(
    store: Store, tamper: Callable[[str], None]
) -> None:
    store.totals.consolidate(NOW_UNIX_MS)
    tamper("UPDATE rollup_month SET bad = bad + 1 WHERE cut = 'desk' AND month = 202001 AND key LIKE '%-02'")
    tamper("DELETE FROM rollup_month WHERE cut = 'service' AND month = 202002 AND key = 'service-03'")
    told = store.recount()
    assert len(told) == 4
    assert "desk branch-001-02 of branch branch-001 in 2020-01: the month is not the sum of its days" in told
    assert not agree(store)
    assert store.upkeep.repair("somebody") == []
    assert store.recount() == [] and agree(store)


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        (
            "UPDATE rollup_week SET bad = bad + 1 WHERE week = 20200127 AND key = 'branch-001-02'",
            "desk branch-001-02 of branch branch-001 in 2020-W05: the week is not the sum of its days",
        ),
        (
            "DELETE FROM rollup_quarter WHERE cut = 'branch' AND branch = 'branch-002'",
            "branch branch-002 in 2020-Q1: the quarter is not the sum of its days",
        ),
        (
            "INSERT INTO rollup_year (cut, branch, key, year, calls, eligible, bad, good, exemplary)"
            " VALUES ('operator', 'branch-001', 'nobody', 202001, 1, 1, 0, 0, 1)",
            "operator nobody of branch branch-001 in 2020: the year is not the sum of its days",
        ),
    ],
    ids=["week", "quarter", "year"],
)
def test_a_longer_period_that_is_not_the_sum_of_its_days_is_told_and_mended_when_asked(
    store: Store, tamper: Callable[[str], None], statement: str, sentence: str
) -> None:
    store.totals.consolidate(NOW_UNIX_MS)
    tamper(statement)
    assert store.recount() == [sentence]
    done = store.totals.reconcile(NOW_UNIX_MS)
    assert [check.name for check in done.checks if check.differ] == ["months"] and done.differences == (sentence,)
    assert not agree(store)
    assert store.upkeep.repair("somebody") == []
    assert store.recount() == [] and agree(store)


def test_a_database_of_before_has_its_weeks_quarters_and_years_made(
    url: str, store: Store, tamper: Callable[[str], None]
) -> None:
    store.totals.consolidate(NOW_UNIX_MS)
    for name in ("week", "quarter", "year"):
        tamper(f"DROP TABLE rollup_{name}")
    tamper("UPDATE collector_version SET version_num = '0016'")
    with Store.open(url) as migrated:
        assert agree(migrated) and migrated.recount() == []
        visit(migrated, FEBRUARY, 1)
        assert agree(migrated) and migrated.recount() == []


def test_a_day_that_is_put_right_puts_its_month_right(store: Store, tamper: Callable[[str], None]) -> None:
    tamper("UPDATE rollup_day SET good = good + 3 WHERE cut = 'branch' AND day = 20200114")
    store.totals.consolidate(NOW_UNIX_MS)
    assert len(store.upkeep.repair("somebody")) == 2
    assert store.recount() == [] and agree(store)


# ---- the mix
def test_the_mix_adds_up_to_the_figures_by_the_local_hour(store: Store) -> None:
    assert store.mix(202001, 202012) == []
    assert store.totals.make_mix(NOW_UNIX_MS) == [202001, 202002, 202003]
    rows = store.mix(202001, 202012)
    for cut in ("operator", "service"):
        sums: Counter[tuple[str, str, int, str]] = Counter()
        for row in rows:
            for name in ("eligible", "bad", "good", "exemplary"):
                sums[row.branch, getattr(row, cut), row.month, name] += getattr(row, name)
        for figure in store.rollups(cut, 20200101, 20201231, period=Period.MONTH):
            for name in ("eligible", "bad", "good", "exemplary"):
                assert sums.pop((figure.branch, figure.key, figure.day, name)) == getattr(figure, name)
        assert not +sums
    assert {row.hour for row in rows} == set(range(9, 18)), "the office opens at nine in Kyiv"
    mine = store.mix(202002, 202002, branch=BRANCH, operator="op-00000")
    assert mine and {(row.month, row.branch, row.operator) for row in mine} == {(202002, BRANCH, "op-00000")}


def test_only_months_that_changed_or_are_young_are_made_anew_and_old_ones_go(store: Store) -> None:
    store.totals.make_mix(NOW_UNIX_MS)
    assert store.totals.make_mix(NOW_UNIX_MS) == [202002, 202003]
    visit(store, FEBRUARY.replace(month=1), 1, rating=3)
    assert store.totals.make_mix(NOW_UNIX_MS) == [202001, 202002, 202003]
    later = int(datetime(2022, 2, 20, tzinfo=UTC).timestamp() * 1000)
    assert store.totals.make_mix(later) == []
    assert {row.month for row in store.mix(202001, 202212)} == {202002, 202003}


# ---- reconciliation
def test_sums_that_agree_are_said_to(store: Store) -> None:
    store.totals.consolidate(NOW_UNIX_MS)
    store.totals.make_mix(NOW_UNIX_MS)
    done = store.totals.reconcile(NOW_UNIX_MS)
    assert done.ok and done.differences == ()
    checks = ("cuts", "reasons", "months", "mix", "behind")
    assert {check.name: check.differ for check in done.checks} == dict.fromkeys(checks, 0)
    assert all(check.compared for check in done.checks)
    assert store.totals.reconciled() == [done]


@pytest.mark.parametrize(
    ("statement", "checks", "words"),
    [
        (
            "UPDATE rollup_day SET bad = bad - 1, good = good + 1 WHERE cut = 'desk' AND day = 20200310 AND"
            " key LIKE '%-01'",
            {"cuts", "months"},
            "branch branch-001 on 2020-03-10: the desks do not add up to the branch",
        ),
        (
            "DELETE FROM rollup_day WHERE cut = 'branch' AND day = 20200310 AND branch = 'branch-002'",
            {"cuts", "months"},
            "branch branch-002 on 2020-03-10: the operators do not add up to the branch",
        ),
        (
            "UPDATE rollup_day SET absent = absent + 1 WHERE day = 20200310 AND branch = 'branch-001' AND key IN"
            " ('', 'op-00000', 'service-01', 'branch-001-01')",
            {"reasons", "months"},
            "operator op-00000 of branch branch-001 on 2020-03-10: its calls, those eligible",
        ),
        (
            "UPDATE rollup_month SET calls = calls + 1 WHERE cut = 'operator' AND month = 202001 AND key = 'op-00001'",
            {"months", "behind"},
            "operator op-00001 of branch branch-001 in 2020-01: the month is not the sum of its days",
        ),
        (
            "UPDATE rollup_mix SET eligible = eligible + 1 WHERE month = 202001 AND operator = 'op-00000' AND hour = 9"
            " AND service = 'service-01'",
            {"mix"},
            "operator op-00000 of branch branch-001 in 2020-01: the mix does not add up to the days",
        ),
    ],
    ids=["cut", "missing", "reason", "month", "mix"],
)
def test_a_sum_that_does_not_agree_is_told_and_left_as_it_is(
    store: Store, tamper: Callable[[str], None], statement: str, checks: set[str], words: str
) -> None:
    store.totals.consolidate(NOW_UNIX_MS)
    store.totals.make_mix(NOW_UNIX_MS)
    tamper(statement)
    found = store.totals.reconcile(NOW_UNIX_MS)
    assert not found.ok
    assert {check.name for check in found.checks if check.differ} == checks
    assert any(words in said for said in found.differences), found.differences
    assert store.totals.reconcile(NOW_UNIX_MS).differences == found.differences, "it was repaired"
    assert len(store.totals.reconciled(5)) == 2
