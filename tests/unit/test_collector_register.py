"""Register files: what is read, and how a wrong one is answered."""

from pathlib import Path

import pytest

from collector.errors import RegisterError
from collector.register import read_register
from protocol.access import RESERVED_NAMES

GOOD = """
[organisation]
name = "Прозорий офіс"
name_en = "Transparent Office"

[[branch]]
id = "centre"
name = "Центр"
name_en = "Centre"

[[branch]]
id = "zamostia"
name = "Замостя"
name_en = "Zamostia"
timezone = "Europe/Warsaw"
day_ends = "18:30"

[[service]]
id = "passport"
name = "Паспорт"
name_en = "Passport"

[[desk]]
id = "centre-01"
branch = "centre"
label = "1"
"""


def read(tmp_path: Path, text: str) -> object:
    path = tmp_path / "register.toml"
    path.write_text(text, encoding="utf-8")
    return read_register(path)


def test_a_good_file_is_read_in_its_order_with_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "register.toml"
    path.write_text(GOOD, encoding="utf-8")
    register = read_register(path)
    assert [(branch.id, branch.timezone, branch.day_ends) for branch in register.branches] == [
        ("centre", "Europe/Kyiv", "20:00"),
        ("zamostia", "Europe/Warsaw", "18:30"),
    ]
    assert not register.organisation.simulated
    assert [(desk.id, desk.branch, desk.label) for desk in register.desks] == [("centre-01", "centre", "1")]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('day_ends = "18:30"', 'day_ends = "25:00"', r"branch\[1\] \('zamostia'\).day_ends: .*25:00"),
        ('day_ends = "18:30"', 'day_ends = "8:30"', r"branch\[1\] \('zamostia'\).day_ends"),
        ("Europe/Warsaw", "Europe/Atlantis", r"branch\[1\] \('zamostia'\).timezone: .*Atlantis"),
        ("Europe/Warsaw", "../../etc/passwd", r"branch\[1\] \('zamostia'\).timezone"),
        ("Europe/Warsaw", "Europe", r"branch\[1\] \('zamostia'\).timezone"),
        ('id = "centre-01"', 'id = "centre/01"', r"desk\[0\] \('centre/01'\).id: .*not allowed"),
        ('id = "centre-01"', 'id = "centre+"', r"desk\[0\].*not allowed"),
        ('id = "centre-01"', f'id = "{"a" * 41}"', r"desk\[0\].*1 to 40 characters"),
        ('branch = "centre"', 'branch = "nowhere"', "line 25: the desk 'centre-01' names an unknown branch 'nowhere'"),
        ('id = "zamostia"', 'id = "centre"', "the branch 'centre' is there twice"),
        ('label = "1"', "label = 1", r"register.toml, line 26: desk\[0\] \('centre-01'\).label: .*string"),
        ('label = "1"', 'label = "1"\ncolour = "red"', r"desk\[0\] \('centre-01'\).colour: .*[Ee]xtra"),
        ('label = "1"', "", r"desk\[0\] \('centre-01'\).label: .*required"),
        ("[organisation]", "[organization]", "organisation: .*required"),
        ('name_en = "Transparent Office"', 'name_en = " "', "organisation.name_en"),
        ("[[branch]]", "[[branch", "not TOML"),
    ],
)
def test_a_wrong_file_is_refused_with_the_entry_at_fault(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in GOOD
    with pytest.raises(RegisterError, match=says):
        read(tmp_path, GOOD.replace(old, new, 1))


@pytest.mark.parametrize("name", RESERVED_NAMES)
def test_a_desk_may_not_have_the_name_of_a_server(tmp_path: Path, name: str) -> None:
    with pytest.raises(RegisterError, match=f"may not be called '{name}'"):
        read(tmp_path, GOOD.replace("centre-01", name))


def test_a_missing_file_and_one_that_is_not_text_are_named(tmp_path: Path) -> None:
    with pytest.raises(RegisterError, match=r"none\.toml: No such file"):
        read_register(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(RegisterError, match=r"bytes\.toml, line 1: not UTF-8"):
        read_register(tmp_path / "bytes.toml")
