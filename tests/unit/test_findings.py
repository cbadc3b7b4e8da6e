"""How a doctor's findings are shown: within 80 columns, the worst as exit code, colour only where asked for."""

import json

from hypothesis import given
from hypothesis import strategies as st

from schemas.findings import ATTENTION, FAILED, LEVELS, OK, Finding, as_json, as_text, exit_code, summary

SICK = [
    Finding(OK, "broker", "127.0.0.1:8883 answers"),
    Finding(ATTENTION, "backup", "the last of 2026-11-15 01:00:00 UTC is nine days old", "collector backup F"),
]


def test_findings_stand_in_columns_with_what_to_do_beneath() -> None:
    assert as_text(SICK, width=60) == (
        "ok         broker  127.0.0.1:8883 answers\n"
        "attention  backup  the last of 2026-11-15 01:00:00 UTC is\n"
        "                   nine days old\n"
        "                   > collector backup F"
    )


def test_the_exit_code_is_the_worst_finding() -> None:
    assert exit_code([]) == 0
    assert exit_code(SICK[:1]) == 0
    assert exit_code(SICK) == 1
    assert exit_code([*SICK, Finding(FAILED, "disk", "full")]) == 2


def test_the_last_line_counts() -> None:
    assert summary(SICK[:1]) == "all is well"
    assert summary([*SICK, Finding(FAILED, "disk", "full")]) == "1 failed, 1 to look at, 1 ok"


def test_programs_get_json() -> None:
    read = json.loads(as_json(SICK))
    assert read["worst"] == "attention"
    assert read["findings"][1]["fix"] == "collector backup F"


def test_colour_only_where_asked_for() -> None:
    assert "\x1b" not in as_text(SICK) and "\x1b[33mattention" in as_text(SICK, colour=True)


words = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=12)


@given(
    st.lists(st.builds(Finding, st.sampled_from(LEVELS), words, st.lists(words).map(" ".join), st.just("")), max_size=5)
)
def test_no_line_is_wider_than_the_terminal_and_no_word_is_lost(findings: list[Finding]) -> None:
    shown = as_text(findings, width=80)
    assert all(len(line) <= 80 for line in shown.splitlines())
    for each in findings:
        assert all(word in shown for word in each.said.split())
