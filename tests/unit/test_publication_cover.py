"""Which figures are withheld for the sake of others: in space, in time, and because of earlier editions."""

import random

from api.publication.cover import decide, is_unsafe_change
from api.publication.rules import OPEN, Code
from api.publication.sheets import CENTRE, Atom, Place, Sheet, longer_sheet, month_sheet

DIRECTIONS = {"passport": "papers", "address": "papers", "land": "earth", "building": "earth"}
AMPLE = {
    (branch, service): (6, 12, 60)
    for branch in ("east", "west")
    for service in ("passport", "address", "land", "building")
}


def atoms(amounts: dict[tuple[str, str], tuple[int, int, int]], *, operators: int = 4) -> list[Atom]:
    """Every amount shared by so many operators of its branch as evenly as can be."""
    found = []
    for (branch, service), ratings in amounts.items():
        shares = [
            [count // operators + (number < count % operators) for count in ratings] for number in range(operators)
        ]
        found += [
            Atom(branch, service, f"{branch}-{n}", sum(share) + 3, sum(share) + 2, *share)
            for n, share in enumerate(shares)
        ]
    return found


def month(number: int, amounts: dict[tuple[str, str], tuple[int, int, int]], edition: int = 1) -> Sheet:
    return month_sheet(f"2026-{number:02}", edition, atoms(amounts), DIRECTIONS)


def close(history: list[Sheet], *fresh: Sheet) -> list[Sheet]:
    decided = decide([*history, *fresh])
    assert not decided.gave_up
    return [*history, *(sheet.decided(decided.codes[sheet.name]) for sheet in fresh)]


def withheld(sheet: Sheet) -> dict[Place, Code]:
    return {place: code for place, code in sheet.codes.items() if code not in OPEN}


def services(*names: str) -> set[Place]:
    return {Place("service", name) for name in names}


def test_with_ample_figures_everything_is_published() -> None:
    (sheet,) = close([], month(1, AMPLE))
    assert set(sheet.codes.values()) == {Code.PUBLISHED}
    assert len(sheet.codes) == 1 + 2 + 2 + 4


def test_nine_votes_are_withheld_and_so_is_what_they_would_follow_from() -> None:
    few = AMPLE | {("east", "land"): (1, 2, 6), ("west", "land"): (0, 0, 0)}
    (sheet,) = close([], month(1, few))
    assert withheld(sheet) == {
        Place("service", "land"): Code.SMALL,
        Place("service", "building"): Code.SECONDARY,
    }


def test_where_a_direction_has_one_service_only_the_direction_is_withheld_with_another() -> None:
    few = {pair: counts for pair, counts in AMPLE.items() if pair[1] != "building"} | {
        ("east", "land"): (1, 2, 6),
        ("west", "land"): (0, 0, 0),
    }
    (sheet,) = close([], month(1, few))
    gone = withheld(sheet)
    assert {Place("service", "land"), Place("direction", "earth"), Place("direction", "papers")} <= set(gone)
    assert any(place in gone for place in services("passport", "address"))
    assert CENTRE not in gone


def test_a_quarter_is_published_without_what_one_withheld_month_would_follow_from() -> None:
    few = AMPLE | {("east", "land"): (1, 2, 5), ("west", "land"): (0, 0, 0)}
    history = close([], month(1, few))
    history = close(history, month(2, AMPLE))
    march = month(3, AMPLE)
    history = close(history, march, longer_sheet("2026-Q1", 1, [*history, march], DIRECTIONS))
    quarter, january = history[-1], history[0]
    gone = set(withheld(quarter)) | set(withheld(history[2]))
    assert set(withheld(january)) == services("land", "building")
    # Either the quarter, or the new month, of both: the earlier editions are out.
    assert services("land", "building") <= gone


def test_a_service_that_is_rare_in_every_month_is_published_for_the_quarter() -> None:
    few = AMPLE | {("east", "land"): (1, 2, 3), ("west", "land"): (0, 0, 0)}
    history: list[Sheet] = []
    for number in (1, 2):
        history = close(history, month(number, few))
    march = month(3, few)
    history = close(history, march, longer_sheet("2026-Q1", 1, [*history, march], DIRECTIONS))
    assert [set(withheld(sheet)) for sheet in history] == [services("land", "building")] * 3 + [set()]


def test_three_months_of_nine_are_not_given_away_by_their_quarter() -> None:
    nine = AMPLE | {("east", "land"): (1, 2, 6), ("west", "land"): (0, 0, 0)}
    history: list[Sheet] = []
    for number in (1, 2):
        history = close(history, month(number, nine))
    march = month(3, nine)
    history = close(history, march, longer_sheet("2026-Q1", 1, [*history, march], DIRECTIONS))
    assert Place("service", "land") in withheld(history[-1])  # 27 votes of three times at most 9 would tell all


def test_services_that_one_branch_alone_offers_do_not_give_away_the_rest_of_it() -> None:
    # In the east "land" is the work of three, and a fourth does something that the west does too.
    rows = [Atom("east", "land", f"east-{n}", 30, 30, 2, 4, 14) for n in range(3)]
    rows += [Atom("east", "passport", "east-4", 30, 30, 2, 4, 14)]
    rows += [
        Atom("west", service, f"west-{n}", 30, 30, 2, 4, 14) for service in ("passport", "address") for n in range(4)
    ]
    rows += [Atom("west", "building", f"west-{n}", 30, 30, 2, 4, 14) for n in range(4)]
    sheet = month_sheet("2026-01", 1, rows, DIRECTIONS)
    decided = decide([sheet])
    codes = decided.codes[sheet.name]
    # East less land would be the fourth's own figures.
    assert codes[Place("branch", "east")] not in OPEN or codes[Place("service", "land")] not in OPEN


def test_a_correction_shows_no_change_that_is_too_small() -> None:
    history = close([], month(1, AMPLE))
    late = dict(AMPLE)
    late["east", "land"] = (8, 15, 75)  # 20 more of four operators
    late["east", "passport"] = (6, 12, 63)  # 3 more
    after = month(1, late, edition=2)
    history = close(history, after)
    gone = withheld(history[-1])
    assert gone[Place("service", "passport")] is Code.WITHHELD
    assert CENTRE not in gone and Place("branch", "east") not in gone
    assert Place("service", "address") in gone or Place("direction", "papers") in gone


def test_a_change_of_a_few_votes_or_of_one_operator_is_no_correction() -> None:
    few = dict(AMPLE)
    few["east", "land"] = (6, 12, 63)
    many = dict(AMPLE)
    many["east", "land"] = (10, 30, 100)
    before = month(1, AMPLE)
    assert is_unsafe_change(before, month(1, few, 2))
    assert not is_unsafe_change(before, month(1, many, 2))
    rows = [*atoms(AMPLE), Atom("east", "land", "east-0", 0, 0, 5, 5, 20)]
    assert is_unsafe_change(before, month_sheet("2026-01", 2, rows, DIRECTIONS))


def test_the_same_counts_are_decided_in_the_same_way_in_whatever_order_they_come() -> None:
    few = AMPLE | {("east", "land"): (1, 2, 6), ("west", "land"): (0, 0, 0), ("east", "address"): (0, 0, 0)}
    rows = atoms(few)
    first = decide([month_sheet("2026-01", 1, rows, DIRECTIONS)])
    random.Random(5).shuffle(rows)
    again = decide([month_sheet("2026-01", 1, rows, DIRECTIONS)])
    assert first.codes == again.codes
