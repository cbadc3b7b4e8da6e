"""People, sessions, orders and the access log on every database."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from collector.store import (
    Declined,
    Limits,
    LogFilter,
    NotThere,
    Person,
    Read,
    ReadingOrder,
    SignIn,
    Store,
    StoreError,
)
from collector.store import limits as limits_of
from tests.contract.api_office import now_unix_ms

LATER = 4_000_000_000_000


@pytest.fixture
def store(any_database: str) -> Iterator[Store]:
    with Store.open(any_database) as opened:
        yield opened


def anna(store: Store, **more: object) -> Person:
    made = Person("anna", "Анна", "head_of_branch", Limits(frozenset({"centre"})), created_by="root")
    return store.staff.create(replace(made, **more))  # type: ignore[arg-type]


def test_a_person_is_kept_as_told_and_a_login_names_one_person(store: Store) -> None:
    made = anna(store, issuer="https://id.example", subject="7", expires_unix_ms=LATER)
    assert store.staff.by_id(made.id) == made == store.staff.by_login("anna")
    assert store.staff.by_subject("https://id.example", "7") == made
    assert store.staff.by_subject("https://id.example", "8") is None and store.staff.by_login("ANNA") is None
    for login in ("anna", "", "Anna", "a b", "a" * 81, "анна"):
        with pytest.raises(Declined):
            store.staff.create(replace(made, login=login, issuer=None, subject=None))
    with pytest.raises(StoreError):
        store.staff.create(replace(made, login="other"))  # the same subject
    with pytest.raises(NotThere):
        store.staff.by_id(made.id + 1)


def test_sessions_end_with_time_use_rights_and_the_account(store: Store) -> None:
    made = anna(store)
    staff = store.staff

    def opened() -> str:
        return staff.open_session(made.id, now_unix_ms() + 60_000)

    secret = opened()
    found = staff.find_session(secret, 1000_000)
    assert found is not None and found[0].login == "anna"
    assert staff.find_session(secret, 0) is None  # nothing was done meanwhile
    assert staff.find_session(secret + "x", 1000_000) is None
    assert staff.find_session(staff.open_session(made.id, now_unix_ms() - 1), 1000_000) is None
    staff.touch_session(secret)
    for end in (
        staff.close_session,
        lambda _: staff.end_sessions(made.id),
        lambda _: staff.change(replace(made, role="assessor", limits=Limits()), "root"),
        lambda _: staff.set_password(made.id, "hash", "root"),
        lambda _: staff.disable(made.id, "root"),
    ):
        secret = opened()
        end(secret)
        assert staff.find_session(secret, 1000_000) is None
    assert staff.find_session(opened(), 1000_000) is None  # disabled
    staff.enable(made.id, "root")
    staff.change(replace(staff.by_id(made.id), expires_unix_ms=1), "root")
    assert staff.find_session(opened(), 1000_000) is None  # over
    assert [each.what for each in staff.changes()] == [
        "changed", "enabled", "disabled", "password", "changed", "created",
    ]  # fmt: skip


def test_sign_ins_and_known_browsers_are_a_persons_own(store: Store) -> None:
    made, other = anna(store), store.staff.create(Person("b", "B", "assessor", created_by="root"))
    mark = store.staff.know_browser(made.id)
    assert store.staff.is_known_browser(made.id, mark) and not store.staff.is_known_browser(other.id, mark)
    store.staff.log_sign_in(None, "password", "unknown", "10.0.0.1")
    store.staff.log_sign_in(made.id, "password", "ok", "10.0.0.1" * 20)
    [event] = store.staff.sign_ins(made.id)
    assert isinstance(event, SignIn) and event.outcome == "ok" and len(event.address) <= 45
    assert store.staff.by_id(made.id).signed_in_unix_ms == event.at_unix_ms
    assert len(store.staff.sign_ins()) == 2


def test_orders_and_readings_are_found_by_what_they_are_about(store: Store) -> None:
    order = ReadingOrder("7", 20260101, "Mayor", "to see", "centre", None, "head", 20260201)
    number = store.staff.record_order(order)
    found = store.staff.order(number)
    assert found is not None and replace(found, id=0, recorded_unix_ms=0) == order
    store.staff.withdraw_order(number)
    with pytest.raises(NotThere):
        store.staff.withdraw_order(number)
    for bad in (replace(order, number=""), replace(order, last_day=20251231), replace(order, about="a\nb")):
        with pytest.raises(Declined):
            store.staff.record_order(bad)
    store.log_access("head", "analysis", True, "q", Read(1, "head_of_centre", number, "centre", "op-1"))
    store.log_access("head", None, False, "q")
    wanted = LogFilter(about="op-1", granted=True, from_unix_ms=0, before_unix_ms=LATER)
    [line] = store.staff.readings(wanted)
    assert (line.role, line.reading_order, line.branch) == ("head_of_centre", number, "centre")
    assert store.staff.count_readings(LogFilter(reader="head")) == 2
    assert store.staff.readings(LogFilter(), offset=1, limit=1)[0].about == "op-1"


def test_a_token_keeps_its_limits(store: Store) -> None:
    limits = Limits(participants=frozenset({"bank"}), directions=frozenset({"a", "b"}))
    secret = store.create_token("bank", ["figures"], limits=limits, created_by="root")
    found = store.find_token(secret)
    assert found is not None and found.limits == limits and found.role is None


@pytest.mark.parametrize("limits", [Limits(), Limits(operator="op-1"), Limits(branches=frozenset())])
def test_limits_are_read_as_they_were_written(limits: Limits) -> None:
    assert limits_of.read(limits_of.written(limits)) == limits


def test_a_limit_that_this_version_does_not_know_is_no_limit_overlooked() -> None:
    with pytest.raises(ValueError, match="desks"):
        limits_of.read('{"desks":["centre-1"]}')
