"""What may happen to a request and what comes of it: consent, legal basis, extensions, slips taken back, the order."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.disclosure.case import CLOSING, PROBLEMS, WHATS, Case, Event, Request, fold, in_order, problem
from api.disclosure.rules import CLASSES
from api.disclosure.words import problem_words, step_words
from api.i18n import load_languages
from schemas.disclosure_resources import STEPS

KYIV = ZoneInfo("Europe/Kyiv")
RECEIVED = datetime(2026, 11, 18, 10, 0, tzinfo=KYIV)
DAY_MS = 86_400_000
LETTER = {"released_by": "Head", "how": "post", "paper": 1}


def ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def request(requester: str = "citizen", **more: Any) -> Request:
    fields = {
        "id": 1,
        "year": 2026,
        "number": 17,
        "kind": "information",
        "requester_class": requester,
        "form": "written",
        "language": "uk",
        "branch": None,
        "received_unix_ms": ms(RECEIVED),
        "subject": "Ratings of October",
        "urgent": False,
        "simple": False,
        "reasons": None,
        "legal_basis": None,
        "due_unix_ms": None,
        "registered_by": "clerk",
        "registered_unix_ms": ms(RECEIVED),
    }
    return Request(**(fields | more))


def case(of: Request, *events: tuple[str, Mapping[str, Any]]) -> Case:
    listed = [
        Event(n, ms(RECEIVED) + n * 1000, "clerk", what, fields) for n, (what, fields) in enumerate(events, start=1)
    ]
    return fold(of, listed, KYIV, lambda day: day.weekday() < 5)


NOW = ms(RECEIVED) + DAY_MS


def test_media_get_nothing_before_the_media_department_consents() -> None:
    waiting = case(request("media"))
    assert waiting.consent == "missing"
    assert problem(waiting, "answered", LETTER, NOW) == "consent_missing"
    asked = case(request("media"), ("consent_asked", {}))
    assert problem(asked, "answered", LETTER, NOW) == "consent_missing"
    refused = case(request("media"), ("consent_asked", {}), ("consent_refused", {"reference": "1", "reason": "x"}))
    assert problem(refused, "answered", LETTER, NOW) == "consent_refused"
    given_ = case(request("media"), ("consent_given", {"reference": "12/3"}))
    assert problem(given_, "answered", LETTER, NOW) is None


def test_the_clock_runs_while_consent_is_waited_for() -> None:
    waiting = case(request("media"), ("consent_asked", {}))
    assert waiting.due.at == datetime(2026, 11, 26, tzinfo=KYIV)
    assert waiting.is_overdue(ms(datetime(2026, 11, 26, tzinfo=KYIV)))
    assert not waiting.is_overdue(ms(datetime(2026, 11, 25, 23, 59, tzinfo=KYIV)))


@pytest.mark.parametrize("requester", sorted(CLASSES.keys() - {"media"}))
def test_consent_is_for_the_media_only(requester: str) -> None:
    assert problem(case(request(requester)), "consent_given", {"reference": "1"}, NOW) == "no_consent_needed"


@pytest.mark.parametrize("requester", ["court", "investigator", "law_enforcement"])
def test_a_court_is_answered_on_a_legal_basis_only(requester: str) -> None:
    assert problem(case(request(requester)), "answered", LETTER, NOW) == "no_legal_basis"
    named = request(requester, legal_basis="Ruling 1-22")
    assert problem(case(named), "answered", LETTER, NOW) is None
    assert case(named).operators
    assert case(request(requester), ("corrected", {"legal_basis": "Ruling 1-22"})).operators


def test_a_court_has_no_time_limit_but_the_one_it_sets() -> None:
    assert case(request("court")).due.at is None
    set_by = request("court", due_unix_ms=ms(RECEIVED) + 3 * DAY_MS)
    assert case(set_by).due.rule == "set"
    assert case(set_by).is_overdue(ms(RECEIVED) + 3 * DAY_MS)


def test_an_extension_holds_if_the_notice_was_in_time() -> None:
    received = case(request())
    last = datetime(2026, 11, 25, 23, 59, tzinfo=KYIV)
    in_time = {"reason": "much", "notice_sent_unix_ms": ms(last)}
    assert problem(received, "extended", in_time, ms(last) + 1) is None
    late = {"reason": "much", "notice_sent_unix_ms": ms(last + timedelta(minutes=1))}
    assert problem(received, "extended", late, ms(last) + DAY_MS) == "notice_too_late"
    extended = case(request(), ("extended", in_time))
    assert extended.due.rule == "extended" and extended.due.last_day == date(2026, 12, 16)
    assert problem(extended, "extended", in_time, NOW + 30 * DAY_MS) == "not_extendable"


def test_a_notice_is_neither_of_the_future_nor_of_before_the_request() -> None:
    for sent in (NOW + 1, ms(RECEIVED) - 1):
        fields = {"reason": "much", "notice_sent_unix_ms": sent}
        assert problem(case(request()), "extended", fields, NOW) == "notice_in_the_future"


def test_what_is_urgent_or_has_no_limit_is_not_extended() -> None:
    fields = {"reason": "much", "notice_sent_unix_ms": NOW}
    for each in (request(urgent=True, reasons="life"), request("council")):
        assert problem(case(each), "extended", fields, NOW) == "not_extendable"


def test_operators_are_named_to_the_public_after_a_decision_only() -> None:
    assert not case(request("citizen")).operators
    no = {"grant": False, "interest": "a", "harm": "b", "balance": "c", "decided_by": "d"}
    assert not case(request("citizen"), ("decided", no)).operators
    assert case(request("citizen"), ("decided", no | {"grant": True})).operators
    assert problem(case(request("participant")), "decided", no, NOW) == "nothing_to_decide"


def test_a_closed_request_stays_closed_until_that_is_taken_back() -> None:
    closed = case(request(), ("answered", LETTER))
    assert closed.state == "answered" and problem(closed, "refused", {}, NOW) == "closed"
    assert problem(closed, "taken_back", {"event": 1}, NOW) is None
    noted = case(request(), ("noted", {"text": "x"}), ("answered", LETTER))
    assert problem(noted, "taken_back", {"event": 1}, NOW) == "closed"  # only how it was closed
    again = case(request(), ("answered", LETTER), ("taken_back", {"event": 1, "reason": "slip"}))
    assert again.state == "open" and again.gone == {1}
    assert problem(again, "taken_back", {"event": 1}, NOW) == "no_such_event"
    assert problem(again, "taken_back", {"event": 2}, NOW) == "no_such_event"
    assert problem(again, "taken_back", {"event": 9}, NOW) == "no_such_event"


def test_an_answer_needs_its_letter_or_what_was_said() -> None:
    assert problem(case(request()), "answered", {"released_by": "Head", "how": "oral"}, NOW) == "nothing_said"
    said = {"released_by": "Head", "how": "oral", "text": "84 % of 310 votes"}
    assert problem(case(request()), "answered", said, NOW) is None


def test_a_late_answer_stays_known_as_late() -> None:
    late = fold(
        request(),
        [Event(1, ms(datetime(2026, 11, 26, tzinfo=KYIV)), "clerk", "answered", LETTER)],
        KYIV,
        lambda day: day.weekday() < 5,
    )
    assert late.was_late and not late.is_overdue(NOW + 90 * DAY_MS)


def test_overdue_ones_rise_to_the_top() -> None:
    now = ms(datetime(2026, 12, 1, tzinfo=KYIV))
    fresh = request(number=1, received_unix_ms=now - DAY_MS)
    old, older = request(number=2), request(number=3, received_unix_ms=ms(RECEIVED) - 5 * DAY_MS)
    endless, done = request("council", number=4), request(number=5)
    listed = [
        case(fresh), case(endless), case(done, ("answered", LETTER)), case(old), case(older),
    ]  # fmt: skip
    assert [each.request.number for each in in_order(listed, now)] == [3, 2, 1, 4, 5]


def test_every_step_has_a_body_and_words_and_every_refusal_a_sentence_in_each_language() -> None:
    assert set(STEPS) == set(WHATS)
    for language in load_languages().values():
        assert set(step_words(language)) == set(WHATS)
        assert all(problem_words(why, language) for why in PROBLEMS)


STEP = st.one_of(
    st.tuples(st.sampled_from([*CLOSING, "noted", "consent_given", "consent_refused"]), st.just(LETTER)),
    st.tuples(st.just("taken_back"), st.integers(1, 12).map(lambda n: {"event": n})),
    st.tuples(st.just("corrected"), st.sampled_from([{"requester_class": c} for c in ("media", "citizen", "court")])),
)


@given(st.sampled_from(sorted(CLASSES)), st.lists(STEP, max_size=12))
def test_whatever_is_entered_a_request_has_one_way_of_being_closed(
    requester: str, steps: list[tuple[str, dict[str, Any]]]
) -> None:
    """Only what ``problem`` lets in: then at most one closing entry is live, and media have a consent before one."""
    entered: list[tuple[str, dict[str, Any]]] = []
    for what, fields in steps:
        now = case(request(requester), *entered)
        if problem(now, what, fields, NOW) is None:
            entered.append((what, fields))
    made = case(request(requester), *entered)
    live = [each for each in made.events if each.what in CLOSING and each.seq not in made.gone]
    assert len(live) <= 1
    assert (made.state == "open") == (not live)
