"""Signals over a real store that a history filled: who sees what, what a review changes, and what nothing changes."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from api.errors import ScopeMissing
from api.i18n import SOURCE_LANGUAGE, load_languages
from api.integrity import chore
from api.integrity.registry import BY_ID, SIGNALS
from api.settings import Settings
from api.signals import Asked, Review, reviewed, signals_for
from collector.store import Limits, Store
from collector.store.engine import make_engine
from collector.store.orders import LogFilter
from tests.contract.signals_office import COVERS, GHOSTS, MONTHS, NOW_UNIX_MS, SignalsOffice, limited, signals_office

ENGLISH = load_languages()[SOURCE_LANGUAGE]
READ = {"purpose": "analysis"}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignalsOffice]:
    with signals_office(tmp_path_factory.mktemp("signals")) as made:
        yield made


def ask(client: TestClient, **parameters: str) -> dict[str, Any]:
    response = client.get("/v1/signals", params=parameters)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def rows(url: str, *tables: str) -> dict[str, list[tuple[Any, ...]]]:
    engine = make_engine(url)
    with engine.connect() as connection:
        found = {table: sorted(map(repr, connection.execute(text(f"SELECT * FROM {table}")))) for table in tables}
    engine.dispose()
    return found  # type: ignore[return-value]


def test_who_games_stands_out_in_every_month_that_is_shown_and_the_night_says_so(office: SignalsOffice) -> None:
    with office.client("signals", "operators") as client:
        answer = ask(client, **READ)
    assert [(each["month"], each["log_only"]) for each in answer["months"]] == [
        ("2026-06", True),
        ("2026-07", True),
        ("2026-08", False),
        ("2026-09", False),
    ]
    found = {(each["month"], each["operator"], each["kind"]) for each in answer["signals"]}
    for month in ("2026-08", "2026-09"):
        assert (month, GHOSTS, "empty_service") in found
        assert (month, COVERS, "silent_calls") in found
    assert {operator for _, operator, _ in found} == {GHOSTS, COVERS}
    assert not any(month in ("2026-06", "2026-07") for month, _, _ in found)
    assert [sentence[:7] for sentence in office.said] == ["2026-08", "2026-09"]


def test_base_rates_of_the_months_that_are_not_shown_are_there_without_anybody_in_them(office: SignalsOffice) -> None:
    with office.client("signals", "operators") as client:
        answer = ask(client, month="2026-06", **READ)
    assert answer["signals"] == []
    assert answer["without_marked"] == []
    assert {each["kind"] for each in answer["rates"]} == {signal.id for signal in SIGNALS}
    assert sum(each["stand_out"] for each in answer["rates"]) > 0


def test_figures_without_the_marked_votes_stand_beside_those_with_them(office: SignalsOffice) -> None:
    with office.client("signals", "operators", "figures") as client:
        answer = ask(client, month="2026-09", **READ)
        (row,) = answer["without_marked"]
        asked = {"by": "operator", "key": GHOSTS, "from": "2026-09-01", "to": "2026-09-30", "purpose": "analysis"}
        (cell,) = client.get("/v1/aggregates", params=asked).json()["cells"]
    assert row["operator"] == GHOSTS
    assert (row["votes"], row["exemplary"]["count"]) == (cell["votes"], cell["exemplary"]["count"])
    assert row["exemplary"]["share"] > row["exemplary_without"]["share"] + 0.01
    assert row["marked_votes"] > 50


def test_signals_come_in_the_order_of_month_branch_and_pseudonym_never_of_strength(office: SignalsOffice) -> None:
    with office.client("signals", "operators") as client:
        found = ask(client, **READ)["signals"]
    keys = [(-int(each["month"].replace("-", "")), each["branch"], each["operator"], each["kind"]) for each in found]
    assert keys == sorted(keys)


def test_every_kind_says_why_it_may_mean_nothing_in_the_language_asked_for(office: SignalsOffice) -> None:
    with office.client("signals", "operators") as client:
        english, ukrainian = (ask(client, lang=lang, **READ) for lang in ("en", "uk"))
    assert "penalties" in english["notice"]
    assert "стягнень" in ukrainian["notice"]
    for one, other in zip(english["kinds"], ukrainian["kinds"], strict=True):
        assert one["innocent"]
        assert one["looks_at"] != other["looks_at"]


# ---- who may
@pytest.mark.parametrize("purpose", [None, "discipline", "duties_review", "encouragement"])
def test_signals_are_read_for_analysis_or_improvement_only_and_a_refusal_is_written_down(
    office: SignalsOffice, purpose: str | None
) -> None:
    with office.client("signals", "operators") as client:
        before = office.store.staff.count_readings(LogFilter())
        response = client.get("/v1/signals", params={"purpose": purpose} if purpose else {})
        assert response.status_code == 422
        assert office.store.staff.count_readings(LogFilter()) == before + 1
    newest = office.store.staff.readings(LogFilter(), limit=1)[0]
    assert not newest.granted


def test_a_reading_is_written_down_with_its_purpose(office: SignalsOffice) -> None:
    with office.client("signals", "operators") as client:
        ask(client, month="2026-09", purpose="improvement")
    newest = office.store.staff.readings(LogFilter(), limit=1)[0]
    assert newest.granted
    assert newest.purpose == "improvement"
    assert newest.question == "signals month=2026-09 purpose=improvement"


def test_without_the_scope_there_is_nothing(office: SignalsOffice) -> None:
    with office.client("figures", "operators") as client:
        assert client.get("/v1/signals", params=READ).status_code == 403
    with office.client("signals") as client:
        assert client.post("/v1/signals/1/review", json={"outcome": "watch", **READ}).status_code == 403


def test_who_sees_devices_only_gets_signals_of_pads_without_anybody_in_them(office: SignalsOffice) -> None:
    with office.client("signals") as client:
        answer = ask(client)
    assert {each["id"] for each in answer["kinds"]} == {each.id for each in SIGNALS if each.device}
    assert all(BY_ID[each["kind"]].device for each in [*answer["signals"], *answer["rates"]])
    assert all(each["operator"] is None and each["marked"] is None for each in answer["signals"])
    assert answer["without_marked"] == []
    assert GHOSTS not in str(answer)


def test_a_head_of_a_branch_sees_the_own_branch_only(office: SignalsOffice) -> None:
    store = office.store
    own = signals_for(store, limited("vyshenka"), Asked(purpose="analysis"), ENGLISH)
    assert {each.operator for each in own.signals} == {COVERS}
    assert GHOSTS not in own.model_dump_json()
    with pytest.raises(ScopeMissing):
        signals_for(store, limited("vyshenka"), Asked(purpose="analysis", branch="tsentr"), ENGLISH)
    foreign = next(each for each in store.signals.found(months=[202609]) if each.operator == GHOSTS)
    with pytest.raises(ScopeMissing):
        reviewed(store, limited("vyshenka"), foreign.id, Review(outcome="watch", purpose="analysis"))
    assert store.signals.found(months=MONTHS, one=foreign.id) == [foreign]


def test_a_head_of_an_organisation_sees_no_counts_of_branches_and_so_no_signals(office: SignalsOffice) -> None:
    token = replace(limited(), limits=Limits(participants=frozenset({"land-office"})))
    with pytest.raises(ScopeMissing):
        signals_for(office.store, token, Asked(purpose="analysis"), ENGLISH)


# ---- review
def test_a_person_says_what_it_was_and_may_say_it_again(office: SignalsOffice) -> None:
    with office.client("signals", "operators") as client:
        one = next(each for each in ask(client, month="2026-08", **READ)["signals"] if each["operator"] == GHOSTS)
        for outcome, note in (("watch", "asked the shift leader"), ("system_fault", "tests of the new queue")):
            said = client.post(f"/v1/signals/{one['id']}/review", json={"outcome": outcome, "note": note, **READ})
            assert said.status_code == 200, said.text
        again = next(each for each in ask(client, month="2026-08", **READ)["signals"] if each["id"] == one["id"])
    assert (again["outcome"], again["note"]) == ("system_fault", "tests of the new queue")
    assert again["reviewed_by"].startswith("reader")
    assert {name: again[name] for name in ("p", "q", "n", "marked")} == {
        name: one[name] for name in ("p", "q", "n", "marked")
    }


@pytest.mark.parametrize(
    ("one", "body", "status"),
    [
        ("999999", {"outcome": "watch", "purpose": "analysis"}, 404),
        ("1", {"outcome": "guilty", "purpose": "analysis"}, 422),
        ("1", {"outcome": "watch", "note": "x" * 501, "purpose": "analysis"}, 422),
        ("1", {"outcome": "watch", "penalty": "yes", "purpose": "analysis"}, 422),
        ("x", {"outcome": "watch", "purpose": "analysis"}, 422),
    ],
)
def test_a_review_that_is_none_is_refused(office: SignalsOffice, one: str, body: dict[str, str], status: int) -> None:
    with office.client("signals", "operators") as client:
        response = client.post(f"/v1/signals/{one}/review", json=body)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"


def test_signals_of_the_first_two_months_cannot_be_reviewed_either(office: SignalsOffice) -> None:
    hidden = office.store.signals.found(months=MONTHS[:2])[0]
    with office.client("signals", "operators") as client:
        response = client.post(f"/v1/signals/{hidden.id}/review", json={"outcome": "watch", **READ})
    assert response.status_code == 404


# ---- the page
def test_the_page_asks_for_the_purpose_first_and_reads_nothing_before(office: SignalsOffice) -> None:
    before = office.store.staff.count_readings(LogFilter())
    with office.client("signals", "operators") as client:
        page = client.get("/signals")
    assert page.status_code == 200
    assert 'data-testid="purpose-form"' in page.text
    assert GHOSTS not in page.text
    assert office.store.staff.count_readings(LogFilter()) == before


def test_the_page_shows_reasons_before_it_asks_what_it_was(office: SignalsOffice) -> None:
    with office.client("signals", "operators") as client:
        page = client.get("/signals", params={"purpose": "analysis", "month": "2026-09", "lang": "en"}).text
    for words in ("It may mean nothing:", "a test of the system", "What was it?", "point 4.8", GHOSTS):
        assert words in page
    assert page.index("a test of the system") < page.index('data-testid="review"')
    assert "accus" not in page.lower()


def test_a_review_by_the_page_goes_back_to_where_it_stands(office: SignalsOffice) -> None:
    one = next(each for each in office.store.signals.found(months=[202609]) if each.operator == COVERS)
    with office.client("signals", "operators") as client:
        answer = client.post(
            f"/signals/{one.id}/review",
            data={"outcome": "explained", "note": "a cable", "purpose": "analysis"},
            headers={"Origin": "http://testserver"},
            follow_redirects=False,
        )
        assert (answer.status_code, answer.headers["location"]) == (
            303,
            f"/signals?purpose=analysis&month=2026-09#signal-{one.id}",
        )
        page = client.get("/signals", params={"purpose": "analysis", "lang": "en"}).text
    assert "Explained: there is an innocent reason" in page
    assert "a cable" in page


def test_a_page_with_a_purpose_that_is_none_says_so(office: SignalsOffice) -> None:
    with office.client("signals", "operators") as client:
        page = client.get("/signals", params={"purpose": "duties_review", "lang": "en"})
    assert page.status_code == 422
    assert "never when duties or a bonus are judged" in page.text
    assert GHOSTS not in page.text


def test_who_sees_devices_only_is_not_asked_for_a_purpose(office: SignalsOffice) -> None:
    with office.client("signals") as client:
        page = client.get("/signals", params={"lang": "en"}).text
    assert 'data-testid="purpose-form"' not in page
    assert "Presses without a client" in page
    assert "No bad vote among very many" not in page
    assert GHOSTS not in page


# ---- nothing else changes
FIGURES = (
    "call", "vote", "rollup_day", "rollup_week", "rollup_month", "rollup_quarter", "rollup_year", "rollup_mix",
    "console_unavailable", "kept", "waiting",
)  # fmt: skip


def test_scanning_and_reviewing_change_no_call_no_vote_and_no_figure(office: SignalsOffice) -> None:
    before = rows(office.url, *FIGURES)
    assert before["vote"]
    store = office.store
    one = next(each for each in store.signals.found(months=MONTHS) if each.month == 202609)
    store.signals.review(one.id, "watch", "", "somebody", NOW_UNIX_MS)
    engine = make_engine(office.url)
    with engine.begin() as connection:  # as if late votes had come: everything is computed again
        connection.execute(text("UPDATE signal_month SET digest = 'other'"))
    engine.dispose()
    chore.run(store, Settings(database_url=office.url), NOW_UNIX_MS)
    assert rows(office.url, *FIGURES) == before
    kept = next(each for each in store.signals.found(months=MONTHS, one=one.id))
    assert (kept.outcome, kept.reviewed_by, kept.stands) == ("watch", "somebody", True)


def test_a_night_without_anything_new_computes_nothing(office: SignalsOffice) -> None:
    before = office.store.signals.months()
    assert chore.run(office.store, Settings(database_url=office.url), NOW_UNIX_MS + 1000) == []
    assert office.store.signals.months() == before


def test_a_review_of_what_is_no_longer_found_stays_and_says_so(office: SignalsOffice) -> None:
    store: Store = office.store
    month = next(each for each in store.signals.months() if each.month == 202608)
    one = next(each for each in store.signals.found(months=[202608]) if each.operator == COVERS)
    store.signals.review(one.id, "explained", "a cable", "head", NOW_UNIX_MS)
    marked, rates = store.signals.marked([202608]), [each for each in store.signals.rates() if each.month == 202608]
    store.signals.keep(month, [], rates=rates, marked=marked)
    (left,) = [each for each in store.signals.found(months=[202608]) if each.id == one.id]
    assert (left.stands, left.outcome, left.note) == (False, "explained", "a cable")
    unreviewed = [each for each in store.signals.found(months=[202608]) if each.outcome is None]
    assert unreviewed == []
    store.signals.keep(replace(month, digest="again"), [], rates=rates, marked=marked)
    chore.compute(store, 202608, NOW_UNIX_MS)
    (back,) = [each for each in store.signals.found(months=[202608]) if each.id == one.id]
    assert (back.stands, back.outcome) == (True, "explained")
