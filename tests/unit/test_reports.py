"""Rules of reports that need no database: which cells are hidden, and what counts as a change."""

from api.figures import Tally
from api.reports.content import Line, Named, hide_small
from api.reports.rows import harmless


def line(name: str, votes: int, operators: int | None, who: str = "") -> Line:
    behind = frozenset(who) or None
    number = len(who) or operators
    return Line(Named(name, name, name), Tally(votes, votes, 0, 0, votes), Tally(), number, behind=behind)


def hidden(lines: tuple[Line, ...]) -> list[str]:
    return [each.what.id for each in lines if each.hidden]


def test_a_cell_of_fewer_than_three_operators_is_emptied_and_a_second_one_with_it() -> None:
    lines = hide_small([line("a", 50, 5), line("b", 40, 2), line("c", 30, 3)])
    assert hidden(lines) == ["b", "c"]
    assert [each.now.votes for each in lines] == [50, 0, 0]


def test_two_small_cells_hide_each_other() -> None:
    assert hidden(hide_small([line("a", 50, 5), line("b", 40, 2), line("c", 30, 1)])) == ["b", "c"]


def test_two_small_cells_of_the_same_operator_do_not_hide_each_other_for_their_sum_is_his() -> None:
    lines = [line("a", 50, 0, "olena"), line("b", 40, 0, "x"), line("c", 30, 0, "x"), line("d", 60, 0, "petro")]
    assert hidden(hide_small(lines)) == ["a", "b", "c"]


def test_where_nobody_voted_there_is_nothing_to_hide() -> None:
    assert hidden(hide_small([line("a", 50, 5), line("b", 0, 1), line("c", 30, 3)])) == []


def test_not_to_know_who_served_is_not_to_show() -> None:
    assert hidden(hide_small([line("a", 50, None), line("b", 40, 4)])) == ["a", "b"]


def test_the_second_cell_is_of_the_same_group_for_the_groups_sum_is_shown() -> None:
    groups = {"a": "land", "b": "land", "c": "social"}
    lines = [line("a", 50, 1), line("b", 400, 9), line("c", 30, 9)]
    assert hidden(hide_small(lines, of=lambda each: groups[each.what.id])) == ["a", "b"]


def test_a_spreadsheet_sees_no_formula_in_a_name() -> None:
    assert [harmless(each) for each in ("=1+1", "+3", "-x", "@a", "Passport", "")] == [
        "'=1+1",
        "'+3",
        "'-x",
        "'@a",
        "Passport",
        "",
    ]
