"""The register as CSV, TOML and difference: what is written is read back, what a spreadsheet does is forgiven."""

import re
import tomllib
from contextlib import suppress
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.register import Desk, Organisation, Register, Service
from schemas.register_archive import NoArchive, pack, unpack
from schemas.register_csv import FILES, NAMES, OFFICE, Sheets, read_sheets, write_sheets
from schemas.register_diff import differences
from schemas.register_toml import to_toml
from tests.unit.test_register_rules import GOOD

REGISTER = Register.model_validate(tomllib.loads(GOOD))
_TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12)
_DAYS = st.dates(date(2020, 1, 1), date(2030, 1, 1))


@st.composite
def registers(draw: st.DrawFn) -> Register:
    services = []
    for name in draw(st.lists(st.from_regex(r"[a-z][a-z0-9]{0,6}", fullmatch=True), unique=True, max_size=4)):
        begins: date | None = None
        for last in sorted(draw(st.lists(_DAYS, unique=True, max_size=2))):
            names = {"name": draw(_TEXTS), "name_en": draw(_TEXTS)}
            services.append(Service(id=name, **names, valid_from=begins, valid_to=last))
            begins = last + timedelta(days=1)
        services.append(
            Service(id=name, name=draw(_TEXTS), name_en="E", no_call=draw(st.booleans()), valid_from=begins)
        )
    organisation = Organisation(name=draw(_TEXTS), name_en="E", simulated=draw(st.booleans()))
    return REGISTER.model_copy(update={"organisation": organisation, "services": tuple(services), "directions": ()})


def read(files: dict[str, bytes], before: Register = REGISTER) -> Sheets:
    return read_sheets(files, before)


def sheet(name: str, text: str) -> dict[str, bytes]:
    return {name: text.encode("utf-8-sig")}


def faults(files: dict[str, bytes]) -> list[str]:
    sheets = read(files)
    assert sheets.register is None or not sheets.faults
    return [str(fault) for fault in sheets.faults]


@given(registers())
def test_every_form_gives_the_register_back(register: Register) -> None:
    sheets = read(write_sheets(register, 7), REGISTER)
    assert (sheets.faults, sheets.register, sheets.revision, sheets.names) == ([], register, 7, None)
    assert Register.model_validate(tomllib.loads(to_toml(register, "made by\na test"))) == register
    assert Register.model_validate_json(register.model_dump_json(by_alias=True)) == register
    assert differences(register, register) == []


def test_an_archive_gives_its_files_back_and_is_the_same_every_time() -> None:
    files = write_sheets(REGISTER, 3, {"op-1": "Олена Тестова"})
    assert set(files) == {OFFICE, NAMES, *FILES}
    assert pack(files) == pack(dict(files)) and unpack(pack(files)) == files
    assert read(unpack(pack({f"register/{name}": content for name, content in files.items()}))).names == {
        "op-1": "Олена Тестова"
    }
    with pytest.raises(NoArchive):
        unpack(b"PK\x03\x04 no archive")
    with pytest.raises(NoArchive, match="no CSV"):
        unpack(pack({"notes.txt": b""}))
    with pytest.raises(NoArchive, match="more than"):
        unpack(pack({"desks.csv": bytes(65_000_000)}))


def test_a_damaged_archive_is_refused_and_never_fails_otherwise() -> None:
    good = pack(write_sheets(REGISTER, 3))
    with pytest.raises(NoArchive, match="damaged"):  # within the packed content of the first file
        unpack(good[:45] + b"\xff\xff\xff\xff" + good[49:])
    for place in range(len(good)):
        with suppress(NoArchive):
            unpack(good[:place] + bytes([good[place] ^ 0xFF]) + good[place + 1 :])


def test_names_of_persons_are_only_in_their_own_file() -> None:
    assert NAMES not in write_sheets(REGISTER, 3)
    named = write_sheets(REGISTER, 3, {"op-1": "Олена Тестова"})
    assert [name for name, content in named.items() if "Олена".encode() in content] == [NAMES]


def test_what_a_spreadsheet_does_to_days_hours_and_line_ends_is_forgiven() -> None:
    text = (
        '\n"branch";"days";"opens";"closes";"valid_from";"valid_to"\r\n'
        'centre;mon-fri;8:00;12:00:00;01.03.2026;\n;;;;;\n centre ;"sat";09:00;13:00;;1.7.2026;;\n'
    )
    [weekdays, saturday] = (read(sheet("hours.csv", text)).register or REGISTER).hours
    assert (weekdays.opens, weekdays.closes, weekdays.valid_from) == ("08:00", "12:00", date(2026, 3, 1))
    assert (saturday.branch, saturday.valid_to) == ("centre", date(2026, 7, 1))


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_other_delimiters_are_read(delimiter: str, mark: bytes) -> None:
    rows = [("id", "name", "name_en", "no_call"), ("passport", '"Паспорт\nта ID"', "Passport", "Так")]
    content = mark + "\r\n".join(delimiter.join(row) for row in rows).encode()
    register = read({"services.csv": content}).register
    assert register and register.services == (
        Service(id="passport", name="Паспорт та ID", name_en="Passport", no_call=True),
    )
    assert register.desks == REGISTER.desks  # a part without a file stays as it is


@pytest.mark.parametrize("name", ['=HYPERLINK("http://x")', "+380", "-1", "@x", "'quoted", "'=x"])
def test_no_cell_runs_as_a_formula_and_each_comes_back(name: str) -> None:
    made = REGISTER.model_copy(update={"services": (Service(id="passport", name=name, name_en=name),)})
    content = write_sheets(made, 1)["services.csv"]
    assert not any(cell.strip('"').startswith(("=", "+", "-", "@")) for cell in content.decode("utf-8-sig").split(";"))
    assert read({"services.csv": content}).register == made


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (sheet("desks.csv", "id;branch;label\nd-1;centre;1\nd 2;centre;2\n"), "desks.csv:3:id: the id .*not allowed"),
        (sheet("desks.csv", "id;branch;label\nd-1;centre;\n"), "desks.csv:2:label: is empty"),
        (sheet("desks.csv", "id;branch\nd-1;centre\n"), "desks.csv:1:label: this column is missing"),
        (sheet("desks.csv", "id;branch;label;colour\n"), "desks.csv:1:colour: no such column.*id, branch, label"),
        (sheet("desks.csv", "id;branch;label\nd-1;centre;1;2\n"), "desks.csv:2: has more cells"),
        (sheet("desks.csv", 'id;branch;label\n"d-1;centre;1\n'), "desks.csv:2: is no CSV"),
        (sheet("desks.csv", ""), "desks.csv:1: is empty; its first line names the columns"),
        (sheet("desks.csv", "id;branch;label;valid_to\nd-1;centre;1;31.02.2026\n"), "2:valid_to: '31.02.2026' is"),
        (
            sheet("desks.csv", 'id;branch;label\ndesk-1;centre;"a\nb"\n\ndesk-2;nowhere;2\n'),
            "desks.csv:5:branch: the desk 'desk-2' names an unknown branch 'nowhere'",
        ),
        (sheet("services.csv", "id;name;name_en;no_call\nx;x;x;maybe\n"), "2:no_call: 'maybe' is neither yes nor no"),
        ({"services.csv": "id;name;name_en\nx;Послуга;x\n".encode("cp1251")}, "services.csv:2: is not UTF-8: save"),
        (sheet("operators.csv", "id\nop-9\n"), "the assignment of 'op-1' to 'desk-1' names an unknown operator"),
        (sheet("operator_names.csv", "operator;name\nop-7;Олена\n"), "the register has no operator 'op-7'"),
        (sheet("office.csv", "revision;name;name_en\nx;a;b\n"), "office.csv:2:revision: 'x' is no number"),
        (sheet("office.csv", "revision;name;name_en\n"), "office.csv:1: has one row"),
        (sheet("pads.csv", ""), "pads.csv: no such file here; there are assignments.csv"),
    ],
)  # fmt: skip
def test_every_cell_at_fault_is_named_with_the_fix(files: dict[str, bytes], says: str) -> None:
    found = faults(files)
    assert any(re.search(says, each) for each in found), found


def test_all_faults_are_told_at_once() -> None:
    text = "id;branch;label;valid_from\nD;centre;1;\nd-2;centre;;\nd-3;centre;3;soon\n"
    assert [each.partition(" ")[0] for each in faults(sheet("desks.csv", text))] == [
        "desks.csv:2:id:", "desks.csv:3:label:", "desks.csv:4:valid_from:",
    ]  # fmt: skip


def test_a_difference_names_what_was_added_changed_closed_and_removed() -> None:
    first, moved, later = REGISTER.desks
    after = REGISTER.model_copy(
        update={
            "organisation": REGISTER.organisation.model_copy(update={"simulated": True}),
            "desks": (
                first.model_copy(update={"valid_to": date(2026, 9, 30)}),
                moved,
                later.model_copy(update={"valid_from": date(2026, 7, 2), "label": "3"}),
                Desk(id="desk-3", branch="centre", label="4"),
            ),
            "services": REGISTER.services[::-1],
            "calendar": REGISTER.calendar[1:],
        }
    )
    found = [(each.part, each.kind, each.name, [(f.field, f.old, f.new) for f in each.fields])
             for each in differences(REGISTER, after)]  # fmt: skip
    assert found == [
        ("organisation", "changed", (), [("simulated", False, True)]),
        ("services", "reordered", (), []),
        ("desks", "closed", ("desk-1",), [("valid_to", None, date(2026, 9, 30))]),
        (
            "desks", "changed", ("desk-2",),
            [("valid_from", date(2026, 7, 1), date(2026, 7, 2)), ("label", "2", "3")],
        ),
        ("desks", "added", ("desk-3",), [("id", None, "desk-3"), ("branch", None, "centre"), ("label", None, "4")]),
        (
            "calendar", "removed", (date(2026, 12, 24), None, None),
            [("day", date(2026, 12, 24), None), ("kind", "closed", None), ("note", "Інвентаризація", None)],
        ),
    ]  # fmt: skip
