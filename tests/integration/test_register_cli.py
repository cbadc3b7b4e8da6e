"""``python -m collector register`` as somebody with a spreadsheet meets it: the real command line, a real database.

One real process loads; the others run within this one, or a minute would go into starting them.
"""

import csv
import io
import re
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from collector.__main__ import main
from collector.register import read_register
from collector.store import Store
from schemas.register_csv import FILES, NAMES, OFFICE
from tests.integration.test_collector_commands import collector
from tests.unit.test_register_rules import GOOD


@pytest.fixture
def office(tmp_path: Path) -> Path:
    (tmp_path / "register.toml").write_text(GOOD)
    done = collector(tmp_path, "register", "load", str(tmp_path / "register.toml"))
    assert (done.returncode, done.stdout) == (0, "2 branches, 1 services, 2 desks\n")
    return tmp_path


def command(folder: Path, arguments: tuple[str, ...]) -> tuple[int, str, str]:
    said, complained = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patched, redirect_stdout(said), redirect_stderr(complained):
        patched.setattr("sys.argv", ["collector", "--config", str(folder / "collector.toml"), "register", *arguments])
        code = main()
    return code, said.getvalue(), complained.getvalue()


def run(folder: Path, *arguments: str) -> str:
    code, said, complained = command(folder, arguments)
    assert (code, complained) == (0, ""), complained
    return said


def refused(folder: Path, *arguments: str) -> str:
    code, _, complained = command(folder, arguments)
    assert code == 1 and complained.startswith("collector: ")
    return complained


def edit(file: Path, old: str, new: str) -> None:
    """As a spreadsheet would: read, one cell changed, written with quotes around everything and CRLF."""
    rows = list(csv.reader(io.StringIO(file.read_bytes().decode("utf-8-sig")), delimiter=";"))
    found = [(row, n) for row in rows for n, cell in enumerate(row) if cell == old]
    assert found, f"no cell {old!r} in {rows}"
    for row, n in found[:1]:
        row[n] = new
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=";", quoting=csv.QUOTE_ALL).writerows(rows)
    file.write_bytes(out.getvalue().encode("utf-8-sig"))


def test_a_register_goes_out_is_edited_comes_in_and_is_undone(office: Path) -> None:
    folder = office / "sheets"
    assert run(office, "export", "--csv", str(folder)) == "revision 1\n"
    assert {each.name for each in folder.iterdir()} == {OFFICE, *FILES}
    assert run(office, "import", str(folder), "--yes") == "nothing changes\n"
    edit(folder / "services.csv", "Паспорт та ID-картка", "Паспорт")
    edit(folder / "hours.csv", "20:00", "19:30")
    says = (
        "~ service passport: changed: name Паспорт та ID-картка -> Паспорт\n"
        "~ hours centre mon-fri 13:00: changed: closes 20:00 -> 19:30\n"
    )
    assert run(office, "diff", str(folder)).startswith(says + "nothing was changed; to do it: ")
    assert run(office, "import", str(folder)).startswith(says + "nothing was changed; to do it: ")
    assert run(office, "import", str(folder), "--yes") == says + "done: revision 2; to go back: register revert 1\n"
    stale = refused(office, "import", str(folder), "--yes")
    assert "it was exported from revision 1, and the register is at 2 by now; export anew" in stale
    assert "changed meanwhile: ~ service passport" in stale
    for number in ("7", str(2**31), str(2**70)):
        assert f"there is no revision {number}" in refused(office, "revert", number)
    back = run(office, "revert", "1")
    assert "name Паспорт -> Паспорт та ID-картка" in back and back.endswith("done: revision 3\n")
    listed = run(office, "revisions").splitlines()
    assert [re.sub(r" \S+ \S+ ", " ", line, count=1).split(" ", 2)[:2] for line in listed] == [
        ["3", "revert"], ["2", "import"], ["1", "file"],
    ]  # fmt: skip
    assert run(office, "diff", str(office / "register.toml")) == "nothing changes\n"


def test_one_wrong_cell_leaves_everything_as_it_was(office: Path) -> None:
    archive = office / "sheets.zip"
    run(office, "export", "--csv", str(archive))
    run(office, "export", "--csv", str(office / "sheets"))
    edit(office / "sheets" / "services.csv", "Паспорт та ID-картка", "Паспорт")
    edit(office / "sheets" / "desks.csv", "desk-2", "desk 2")
    said = refused(office, "import", str(office / "sheets"), "--yes")
    assert "nothing was changed\n  desks.csv:3:id: the id" in said
    assert run(office, "import", str(archive), "--yes") == "nothing changes\n"


def test_a_file_for_feeds_is_written_whole_and_has_no_name_of_a_person(office: Path) -> None:
    store_url = f"sqlite:///{office / 'zrazkovo.db'}"
    with Store.open(store_url) as store:
        revision, register = store.book.whole()
        names = {"op-1": "Олена Тестова"}
        assert store.book.save(register, author="head", how="edit", names=names) == revision
    feed = office / "feed.toml"
    assert run(office, "export", "--for-feed", str(feed), "--csv", str(office / "bare")) == "revision 1\n"
    assert read_register(feed) == register
    run(office, "export", "--csv", str(office / "named"), "--names")
    run(office, "export", "--csv", str(office / "named.zip"), "--names")
    modes = {each.name: each.stat().st_mode & 0o777 for each in (office / "named" / NAMES, office / "named.zip")}
    assert modes == {NAMES: 0o600, "named.zip": 0o600}
    (office / "named.zip").unlink()
    assert (office / "named" / OFFICE).stat().st_mode & 0o777 == 0o644
    everything = {each: each.read_bytes() for each in office.rglob("*") if each.is_file()}
    with_name = {each.name for each, content in everything.items() if "Олена".encode() in content}
    assert with_name - {"zrazkovo.db", "zrazkovo.db-wal"} == {NAMES}
    assert not list(office.glob(".feed*"))
    edit(office / "named" / NAMES, "Олена Тестова", "Олена Інша")
    assert "1 names take the place" in run(office, "import", str(office / "named"), "--yes")
    with Store.open(store_url) as store:
        assert store.book.names("test") == {"op-1": "Олена Інша"}
        without = store.book.whole()[1].model_copy(update={"operators": (), "assignments": ()})
        store.book.save(without, author="head", how="edit")
        assert store.book.names("test") == {}  # who is no more in the register is forgotten


def test_a_wrong_file_is_refused_with_its_lines(office: Path) -> None:
    text = GOOD.replace('branch = "old-town"', 'branch = "nowhere"', 1).replace('opens = "13:00"', 'opens = "20:30"')
    file = office / "register.toml"
    file.write_text(text)
    lines = [text[: text.index(part)].count("\n") + 1 for part in ('branch = "nowhere"', 'opens = "20:30"')]
    said = refused(office, "load", str(file))
    assert f"register.toml, line {lines[0]}: the desk 'desk-2' names an unknown branch 'nowhere'" in said
    assert f"register.toml, line {lines[1] + 1}: the hours of 'centre' on mon-fri 20:30-20:00 close before" in said
    assert run(office, "export", "--toml", str(office / "out.toml")) == "revision 1\n"
