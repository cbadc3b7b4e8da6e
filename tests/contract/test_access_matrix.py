"""Every route with every role: the running system against api/access/matrix.md.

A route that is missing in the table fails the first test, which prints a line to begin with. Where a role may see its
own only, rows of others are planted, and none of them may ever appear in an answer.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

import httpx2
import pytest

from collector.store import Limits, Person, ReadingOrder
from schemas.periods import day_key
from tests.contract import access_matrix as matrix
from tests.contract.access_house import (
    BROWSER,
    FOREIGN_BRANCH,
    FOREIGN_DESK,
    HTML,
    LIMITS,
    TODAY,
    House,
    nobody_any_more,
    now_unix_ms,
    open_house,
)
from tests.contract.access_matrix import NO, NOBODY, ORDER, OWN, OWN_PURPOSE, PURPOSE, REQUEST, Line

LINES = matrix.lines()
# What must not stand in the answer to a role that sees its own only.
FOREIGN = {
    "head_of_branch": ("planted-operator", FOREIGN_BRANCH, "lisbon"),
    "participant_head": ("planted-operator", "planted-service", "colleague"),
    "operator": ("planted-operator", FOREIGN_BRANCH, "lisbon", "colleague"),
}
# A value for each place in an address, and the same for what belongs to somebody else.
OURS = {
    "branch": "centre", "desk": "centre-1", "fault": "1", "wish": "stop", "number": "1", "paper": "1",
    "year": str(TODAY.year),
    "part": "branches", "name": "centre", "act": "close", "what": "note", "action": "call",
    "which": "caf", "item": "none", "who": "99", "report": "1", "kind": "csv", "direction": "own-direction",
    "one": "1", "operator": "own-operator",
    "period": "2026-04", "edition": "1", "file": "codes.csv",
}  # fmt: skip
THEIRS = OURS | {
    "branch": FOREIGN_BRANCH, "desk": FOREIGN_DESK, "report": "3", "direction": "other", "one": "2",
    "operator": "colleague", "number": "2",
}  # fmt: skip
# Where one's own is another thing than most people's.
OWN_PLACES = {"participant_head": {"report": "2"}}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("house")) as opened:
        yield opened


def test_every_route_stands_in_the_table_and_the_table_names_no_other(house: House) -> None:
    routes = list(matrix.routes(house.app))
    known = {(line.method, line.path) for line in LINES}
    missing = [matrix.suggested(*route) for route in routes if route[:2] not in known]
    assert not missing, "api/access/matrix.md lacks, to be held against the order:\n" + "\n".join(missing)
    assert known <= {route[:2] for route in routes}, "the table names a route that is no more"
    assert len({line.name for line in LINES}) == len(LINES)


@pytest.mark.parametrize("who", matrix.COLUMNS)
def test_every_question_is_answered_as_the_table_says(house: House, who: str) -> None:
    wrong = []
    for line in LINES:
        try:
            _check(house, who, line)
        except AssertionError as error:
            wrong.append(f"{line.name} ({line.said[who]}): {error}")
    assert not wrong, "\n".join(wrong)


NOBODIES = ("ended", "idle", "disabled", "unknown_role", "without_limits", "expired", "forged", "revoked_token")


@pytest.mark.parametrize("kind", NOBODIES)
def test_whoever_is_signed_in_no_more_isnobody_any_more(house: House, kind: str) -> None:
    wrong = []
    headers = nobody_any_more(house, kind)
    for line in LINES:
        if line.said[NOBODY] != NO or line.path.startswith("/account"):
            continue
        answer = house.ask(NOBODY, line, OURS, "purpose=analysis" if "by=" in line.address else "", **headers)
        if not (_is_refused(answer) or _is_sent_to_sign_in(answer)):
            wrong.append(f"{line.name}: {answer.status_code}")
    assert not wrong, wrong


def test_whoever_still_has_a_handed_over_password_gets_to_one_page_only(house: House) -> None:
    staff = house.office.store.staff
    made = staff.create(Person("new-head", "New", "head_of_centre", created_by="test"))
    staff.set_password(made.id, "$argon2id$none", "test", now_unix_ms() + 60_000)
    secret = staff.open_session(made.id, now_unix_ms() + 60_000)
    for line in LINES:
        if line.said[NOBODY] != NO or line.path.startswith("/account"):
            continue
        answer = house.ask(NOBODY, line, OURS, Cookie=f"zrazkovo={secret}")
        is_led = answer.status_code == 303 and answer.headers["location"] == "/account/password"
        assert is_led or answer.status_code == 403, f"{line.name}: {answer.status_code}"


def test_another_sites_page_changes_nothing_in_anybodys_name(house: House) -> None:
    for line in LINES:
        if line.method in ("GET", "HEAD") or line.path in ("/look", "/session"):
            continue
        for who in ("head_of_centre", "it_department", "administrator"):
            answer = house.ask(who, line, OURS, Origin="https://evil.example")
            assert answer.status_code == 403, f"{line.name} as {who}: {answer.status_code}"


@pytest.mark.parametrize("who", [NOBODY, "operator", "administrator"])
def test_no_odd_method_or_spelling_of_an_address_opens_anything(house: House, who: str) -> None:
    cookie = house.cookie(who)
    for line in LINES:
        if line.said[who] in matrix.OPENING or line.said[NOBODY] == matrix.ALL:
            continue
        path = line.path.format_map(OURS)
        for method in ("HEAD", "OPTIONS", "TRACE", "PATCH", "DELETE", "get", "PROPFIND"):
            answer = house.client.request(method, path, headers=cookie | BROWSER, follow_redirects=False)
            assert answer.status_code in (303, 400, 401, 403, 404, 405), f"{method} {path}: {answer.status_code}"
        for odd in (path + "/", "/" + path, path.upper(), path + "%00", path.replace("/", "/./", 1), path + ";x=1"):
            answer = house.client.get(odd, headers=cookie | HTML, follow_redirects=False)
            assert answer.status_code in (303, 400, 401, 403, 404, 405, 422), f"{odd}: {answer.status_code}"


HEADERS = (
    {"X-Forwarded-User": "head-of-centre"}, {"X-Remote-User": "head-of-centre"}, {"X-HTTP-Method-Override": "GET"},
    {"X-Original-URL": "/v1/health"}, {"X-Rewrite-URL": "/v1/health"}, {"Authorization": "Basic aGVhZDpoZWFk"},
    {"Authorization": "Bearer "}, {"Authorization": "Bearer null"}, {"Cookie": "zrazkovo="}, {"Cookie": "zrazkovo=p_"},
    {"Cookie": "__Host-zrazkovo=p_x"}, {"Forwarded": "for=127.0.0.1;proto=https"}, {"X-Forwarded-For": "127.0.0.1"},
)  # fmt: skip


@pytest.mark.parametrize("headers", HEADERS, ids=str)
def test_no_header_of_somebodys_own_opens_anything(house: House, headers: dict[str, str]) -> None:
    for line in LINES:
        if line.said[NOBODY] == NO and line.method == "GET":
            answer = house.ask(NOBODY, line, OURS, **headers)
            assert _is_refused(answer) or _is_sent_to_sign_in(answer), f"{line.name}: {answer.status_code}"


# ---- rows of others, by their numbers
def votes(house: House, who: str, query: str) -> dict[str | None, int]:
    """Votes by key or branch that a role's question for figures comes to."""
    answer = house.client.get(f"/v1/aggregates?{query}", headers=house.cookie(who))
    assert answer.status_code == 200, answer.text
    found: dict[str | None, int] = {}
    for cell in answer.json()["cells"]:
        name = cell["key"] or cell["branch"]
        found[name] = found.get(name, 0) + cell["votes"]
    return {name: number for name, number in found.items() if number}


def test_a_head_of_branch_counts_the_own_branch_only(house: House) -> None:
    assert votes(house, "head_of_branch", "by=branch") == {"centre": 57}
    assert votes(house, "head_of_branch", "by=operator&purpose=analysis") == {
        "own-operator": 24, "colleague": 12, "leaver": 21,
    }  # fmt: skip
    assert votes(house, "head_of_branch", "by=desk&purpose=analysis") == {"centre-1": 45, "centre-2": 12}
    assert votes(house, "head_of_branch", "by=service") == {"passport": 57}


def test_a_head_of_a_participant_counts_employees_while_employed_and_the_own_direction(house: House) -> None:
    assert votes(house, "participant_head", "by=operator&purpose=analysis") == {"own-operator": 24, "leaver": 10}
    assert votes(house, "participant_head", "by=service&branch=centre") == {"passport": 57}
    assert votes(house, "participant_head", "by=service") == {"passport": 57}
    assert votes(house, "participant_head", f"by=service&branch={FOREIGN_BRANCH}") == {}


def test_an_operator_sees_closed_months_with_enough_votes_and_no_others(house: House) -> None:
    assert votes(house, "operator", "by=operator&period=month") == {"own-operator": 12}
    assert votes(house, "operator", "by=branch&period=month") == {"centre": 45}


@pytest.mark.parametrize(
    ("who", "query"),
    [
        ("head_of_branch", f"by=branch&branch={FOREIGN_BRANCH}"),
        ("head_of_branch", f"by=operator&purpose=analysis&branch={FOREIGN_BRANCH}"),
        ("head_of_branch", f"by=desk&purpose=analysis&branch={FOREIGN_BRANCH}&key={FOREIGN_DESK}"),
        ("head_of_branch", f"by=service&branch={FOREIGN_BRANCH}"),
        ("head_of_branch", "by=centre&branch="),
        ("participant_head", "by=operator&purpose=analysis&participant=planted-org"),
        ("participant_head", "by=branch"),
        ("participant_head", "by=branch&branch=centre"),
        ("participant_head", "by=desk&purpose=analysis&branch=centre"),
        ("operator", "by=operator&period=month&key=colleague"),
        ("operator", "by=operator&period=day"),
        ("operator", "by=operator&period=year"),
        ("operator", f"by=branch&period=month&branch={FOREIGN_BRANCH}"),
        ("operator", "by=branch&period=day"),
        ("operator", "by=service&period=month&branch=centre"),
        ("operator", "by=desk&period=month&branch=centre&purpose=analysis"),
    ],
)
def test_naming_what_belongs_to_somebody_else_is_refused(house: House, who: str, query: str) -> None:
    answer = house.client.get(f"/v1/aggregates?{query}", headers=house.cookie(who))
    assert answer.status_code in (403, 422)
    assert not _names_foreign(answer, who, {FOREIGN_BRANCH, "colleague"})


@pytest.mark.parametrize("who", LIMITS)
@pytest.mark.parametrize("by", ["centre", "branch", "service", "operator", "desk"])
@pytest.mark.parametrize("more", ["", "&key=planted-operator", "&key=planted-service", f"&key={FOREIGN_DESK}",
                                  f"&branch={FOREIGN_BRANCH}", "&merged=true", "&participant=planted-org"])  # fmt: skip
def test_no_question_at_all_shows_rows_of_others(house: House, who: str, by: str, more: str) -> None:
    for period in ("day", "month", "year"):
        query = f"by={by}&period={period}&purpose=analysis{more}"
        answer = house.client.get(f"/v1/aggregates?{query}", headers=house.cookie(who))
        assert answer.status_code in (200, 403, 422)
        if answer.status_code == 200:
            cells = str(answer.json()["cells"])
            assert not [word for word in FOREIGN[who] if word in cells], query


def test_every_reading_of_operators_is_written_down_with_person_purpose_and_order(house: House) -> None:
    from collector.store import LogFilter

    staff = house.office.store.staff
    before = staff.count_readings(LogFilter())
    query = f"by=operator&purpose=analysis&order={house.order}&branch=centre&key=colleague"
    answer = house.client.get(f"/v1/aggregates?{query}", headers=house.cookie("city_leadership"))
    assert answer.status_code == 200 and "4.8" in answer.json()["notice_en"]
    assert staff.count_readings(LogFilter()) == before + 1
    [line] = staff.readings(LogFilter(), limit=1)
    assert (line.reader, line.role, line.purpose, line.reading_order, line.branch, line.about, line.granted) == (
        "city-leadership", "city_leadership", "analysis", house.order, "centre", "colleague", True,
    )  # fmt: skip


@pytest.mark.parametrize("order", ["", "&order=999", "&order=0", "&order=-1", "&order=x"])
def test_without_an_order_in_force_the_city_reads_no_operator(house: House, order: str) -> None:
    query = f"/v1/aggregates?by=operator&purpose=analysis{order}"
    answer = house.client.get(query, headers=house.cookie("city_leadership"))
    assert answer.status_code == 422 and "planted-operator" not in answer.text


def test_an_order_opens_what_it_is_about_while_it_is_in_force(house: House) -> None:
    staff = house.office.store.staff
    day = day_key(TODAY)
    base = ReadingOrder("12", day, "Mayor", "to see", "centre", "colleague", "test", day)
    narrow, past = staff.record_order(base), staff.record_order(replace(base, day=20250101, last_day=20250201))
    gone = staff.record_order(base)
    staff.withdraw_order(gone)
    for query, status in (
        (f"branch=centre&key=colleague&order={narrow}", 200),
        (f"branch=centre&key=own-operator&order={narrow}", 422),
        (f"branch={FOREIGN_BRANCH}&key=colleague&order={narrow}", 422),
        (f"key=colleague&order={narrow}", 422),
        (f"branch=centre&key=colleague&order={past}", 422),
        (f"branch=centre&key=colleague&order={gone}", 422),
    ):
        address = f"/v1/aggregates?by=operator&purpose=analysis&{query}"
        answer = house.client.get(address, headers=house.cookie("city_leadership"))
        assert answer.status_code == status, query


@pytest.mark.parametrize(
    ("who", "purpose", "status"),
    [
        ("head_of_centre", "duties_review", 200),
        ("head_of_centre", "encouragement", 422),
        ("participant_head", "encouragement", 200),
        ("participant_head", "duties_review", 422),
        ("city_leadership", "duties_review", 422),
        ("head_of_centre", "discipline", 422),
    ],
)
def test_each_role_has_the_purposes_that_its_point_of_the_order_names(
    house: House, who: str, purpose: str, status: int
) -> None:
    query = f"/v1/aggregates?by=operator&purpose={purpose}&order={house.order}"
    assert house.client.get(query, headers=house.cookie(who)).status_code == status


@pytest.mark.parametrize("who", ["city_leadership", "assessor"])
def test_a_service_that_may_be_one_persons_is_not_had_under_another_name(house: House, who: str) -> None:
    """In one branch, or on one day; by any question and on any page (order 4.3, 4.7.3)."""
    headers = house.cookie(who)
    for path in ("aggregates", "comparison"):
        assert house.client.get(f"/v1/{path}?by=service", headers=headers).status_code == 200
        for more in ("branch=centre", "period=day", "period=week", "branch=centre&key=passport"):
            answer = house.client.get(f"/v1/{path}?by=service&{more}", headers=headers)
            assert answer.status_code == 403, f"{path} {more}"
    for page in (f"/branches/{FOREIGN_BRANCH}", f"/figures?branch={FOREIGN_BRANCH}"):
        answer = house.client.get(page, headers=headers | HTML)
        assert answer.status_code == 200
        cells = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", answer.text, re.DOTALL)
        assert not any("planted-service" in cell or "Паспорт" in cell for cell in cells), page
    refused = house.client.get(f"/figures?branch={FOREIGN_BRANCH}&service=planted-service", headers=headers | HTML)
    assert refused.status_code == 403


@pytest.mark.parametrize(
    ("scopes", "limits", "more", "status"),
    [
        (("figures",), Limits(), "", 200),
        (("figures",), Limits(), "&branch=centre", 403),
        (("figures",), Limits(), "&period=day", 403),
        (("figures",), Limits(branches=frozenset({"centre"})), "", 403),  # it would be narrowed to one branch
        (("figures",), Limits(directions=frozenset({"own-direction"})), "", 200),
        (("figures", "operators"), Limits(), "&branch=centre", 200),
        (("figures", "operators"), Limits(), "&period=day", 200),
        (("figures", "operators"), Limits(branches=frozenset({"centre"})), "", 200),
    ],
)
def test_a_program_gets_what_may_be_one_persons_with_the_scope_for_operators_only(
    house: House, scopes: tuple[str, ...], limits: Limits, more: str, status: int
) -> None:
    store = house.office.store
    secret = store.create_token("program", scopes, limits=limits)
    headers = {"Authorization": f"Bearer {secret}"}
    for path in ("aggregates", "comparison"):
        answer = house.client.get(f"/v1/{path}?by=service{more}", headers=headers)
        assert answer.status_code == status, f"{path}: {answer.text}"
    store.revoke_token("program")


def test_a_direction_in_one_branch_is_no_way_round_it(house: House) -> None:
    store = house.office.store
    limits = Limits(branches=frozenset({"centre"}), directions=frozenset({"own-direction"}))
    for scopes, status in ((("figures",), 403), (("figures", "operators"), 200)):
        secret = store.create_token("narrow", scopes, limits=limits)
        headers = HTML | {"Authorization": f"Bearer {secret}"}
        assert house.client.get("/directions/own-direction", headers=headers).status_code == status
        store.revoke_token("narrow")


# ---- how it is checked
def _check(house: House, who: str, line: Line) -> None:
    said = line.said[who]
    levels = "by=operator" in line.address or "by=desk" in line.address
    if said in (NO, REQUEST):
        answer = house.ask(who, line, OURS, f"purpose=analysis&order={house.order}" if levels else "")
        if who == NOBODY:
            assert _is_refused(answer, 401) or _is_sent_to_sign_in(answer), answer.status_code
        else:
            assert _is_refused(answer, 403), answer.status_code
            assert said != REQUEST or "4.4" in answer.text, "it does not say how to ask"
        return
    if said in (PURPOSE, OWN_PURPOSE, ORDER):
        answer = house.ask(who, line, OURS)
        assert answer.status_code == 422 and "unknown-purpose" in answer.text, f"{answer.status_code} without a purpose"
    if said == ORDER:
        answer = house.ask(who, line, OURS, "purpose=analysis")
        assert answer.status_code == 422 and "order-missing" in answer.text, f"{answer.status_code} without an order"
    more = {
        PURPOSE: "purpose=analysis",
        OWN_PURPOSE: "purpose=analysis",
        ORDER: f"purpose=analysis&order={house.order}",
    }
    answer = house.ask(who, line, OURS | OWN_PLACES.get(who, {}), more.get(said, ""))
    assert _is_let_in(answer), f"{answer.status_code} {answer.text[:200]}"
    if said in (PURPOSE, OWN_PURPOSE, ORDER):
        assert "4.8" in answer.text, "it carries no notice"
    if said in (OWN, OWN_PURPOSE):
        assert not _names_foreign(answer, who), f"it shows {_names_foreign(answer, who)}"
        if "{" in line.address:
            other = house.ask(who, line, THEIRS, more.get(said, ""))
            named = {FOREIGN_BRANCH} if FOREIGN_BRANCH in line.address.format_map(THEIRS) else set[str]()
            assert other.status_code in (403, 404) or not _names_foreign(other, who, named), (
                f"{other.status_code} of others"
            )


def _names_foreign(answer: httpx2.Response, who: str, asked: set[str] = frozenset()) -> list[str]:  # type: ignore[assignment]
    """What of others stands in an answer; what was asked for may be named again."""
    text = re.sub(r'"(instance|branch|key)":"[^"]*"', "", answer.text) if asked else answer.text
    return [word for word in FOREIGN[who] if word in text and not (word in asked and answer.status_code != 200)]


def _is_refused(answer: httpx2.Response, *statuses: int) -> bool:
    return answer.status_code in (statuses or (401, 403, 429))  # 429: of somebody who tries again and again


def _is_sent_to_sign_in(answer: httpx2.Response) -> bool:
    return answer.status_code == 303 and answer.headers["location"].startswith("/signin?next=")


def _is_let_in(answer: httpx2.Response) -> bool:
    if answer.status_code == 503:
        return "too-many-streams" in answer.text
    return answer.status_code not in (401, 403) and answer.status_code < 500 and not _is_sent_to_sign_in(answer)
