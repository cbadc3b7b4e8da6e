"""Backups as an office takes and needs them: of a database at work, put back, damaged, cut off; on both engines."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from collector.errors import BackupError
from collector.store import Arrival, Store, save_postgresql, saving
from collector.store.manifest import manifest_of
from collector.store.upkeep import BACKUP, RESTORE
from protocol import codec, topics
from tests.integration.collector_process import NOON_UNIX_MS, ROOT, event, vote
from tests.integration.test_restored_backups import DESK, REGISTER


@pytest.fixture(autouse=True)
def tools(any_database: str) -> None:
    if not any_database.startswith("sqlite") and not shutil.which("pg_dump"):
        pytest.skip("pg_dump is not installed: apt-get install postgresql-client")


@pytest.fixture
def url(any_database: str) -> str:
    with Store.open(any_database) as store:
        store.load_register(REGISTER)
    return any_database


def call_and_vote(store: Store, *numbers: int) -> None:
    arrivals = []
    for number in numbers:
        called = codec.encode(event(number, desk=DESK, seq=number))
        arrivals.append(Arrival(topics.queue("centre", "event"), called, NOON_UNIX_MS + number))
        pressed = codec.encode(vote(number, number % 3 + 1, seq=number))
        arrivals.append(Arrival(topics.desk(DESK, "vote"), pressed, NOON_UNIX_MS + number))
    assert {answer.disposition for answer in store.ingest(arrivals)} == {"taken"}


def votes_in(url: str) -> int:
    with Store.open(url) as store:
        assert store.recount() == []
        return store.counts()["votes"]


def collector(url: str, *arguments: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("ZRAZKOVO_")}
    environ["ZRAZKOVO_COLLECTOR_DATABASE_URL"] = url
    if path is not None:
        environ["PATH"] = path
    return subprocess.run(
        [sys.executable, "-m", "collector", *arguments],
        cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def test_a_backup_is_put_back_by_one_command_each(url: str, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    with Store.open(url) as store:
        call_and_vote(store, 1, 2, 3)
    done = collector(url, "backup", str(folder))
    assert done.returncode == 0, done.stderr
    (file,) = folder.glob("*.backup")
    assert "3 calls, 3 votes" in done.stdout and file.stat().st_mode & 0o777 == 0o600
    with Store.open(url) as store:
        entry = store.upkeep.last(BACKUP)
        assert entry and entry.ok and entry.amount == file.stat().st_size
        call_and_vote(store, 4, 5)
        pad_says = [Arrival(topics.desk(DESK, "vote"), codec.encode(vote(6, 3, seq=6)), NOON_UNIX_MS + 6)]
    refused = collector(url, "restore", str(file))
    assert refused.returncode == 1 and "this would lose what came after it: 2 votes" in refused.stdout
    assert votes_in(url) == 5
    forced = collector(url, "restore", str(file), "--force")
    assert forced.returncode == 0, forced.stderr
    assert "what was there is kept as" in forced.stdout
    assert votes_in(url) == 3
    with Store.open(url) as store:
        entry = store.upkeep.last(RESTORE)
        assert entry and entry.ok and entry.amount == 3
        store.ingest(pad_says)
        assert [str(gap) for gap in store.upkeep.gaps()] == ["votes 4-5 of desk centre-01"]
    said = json.loads(collector(url, "recount", "--json").stdout)
    assert [(gap["desk"], gap["first"], gap["last"]) for gap in said["missing"]] == [(DESK, 4, 5)]


def test_a_backup_of_a_database_at_work_is_of_one_moment(url: str, tmp_path: Path) -> None:
    stop = threading.Event()

    def work() -> None:
        with Store.open(url) as store:
            for number in range(1, 100_000):
                if stop.is_set():
                    return
                call_and_vote(store, number)

    with Store.open(url) as store:
        call_and_vote(store, *range(200_000, 204_000))
    writer = threading.Thread(target=work)
    writer.start()
    try:
        made = [saving.save(url, tmp_path / f"{number}.backup") for number in range(3)]
    finally:
        stop.set()
        writer.join()
    assert [each.differences for each in made] == [0, 0, 0]
    assert made[0].votes < made[2].votes, "nothing was written meanwhile"
    assert all(each.votes == each.calls for each in made)  # each call came with its vote in one transaction
    saving.restore(url, tmp_path / "1.backup", "test")
    assert votes_in(url) == made[1].votes


@pytest.fixture
def saved(url: str, tmp_path: Path) -> Path:
    """A backup of two votes; the database has three since."""
    with Store.open(url) as store:
        call_and_vote(store, 1, 2)
        saving.save(url, tmp_path / "two.backup")
        call_and_vote(store, 3)
    return tmp_path / "two.backup"


def spoil_a_byte(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize("any_database", ["sqlite"], indirect=True)  # decided before any engine is asked
@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (spoil_a_byte, "not the bytes that were saved"),
        (lambda file: file.write_bytes(file.read_bytes()[:-1]), "not the bytes that were saved"),
        (lambda file: manifest_of(file).unlink(), "No such file or directory; it belongs to the backup"),
        (lambda file: manifest_of(file).write_text("{}"), "not the manifest of a backup of ours"),
        (lambda file: file.unlink(), "No such file"),
    ],
    ids=["a byte", "cut short", "no manifest", "another manifest", "no file"],
)
def test_a_damaged_backup_is_refused_and_changes_nothing(
    url: str, saved: Path, spoil: Callable[[Path], object], says: str
) -> None:
    spoil(saved)
    with pytest.raises(BackupError, match=says):
        saving.restore(url, saved, "test")
    assert votes_in(url) == 3


def test_a_backup_of_the_version_before_comes_back_with_the_votes_that_wait(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taken by the new program before its first start: what an upgrade begins with."""
    with Store.open(url) as store:
        call_and_vote(store, 1, 2, 3)
        alone = Arrival(topics.desk(DESK, "vote"), codec.encode(vote(9, 3, seq=9)), NOON_UNIX_MS + 9)
        assert store.ingest([alone])[0].disposition == "waiting"
    file = tmp_path / "x.backup"
    with monkeypatch.context() as patch:
        patch.setattr(saving, "HEADS", {"collector": "9999"})
        assert saving.save(url, file).votes == 3
    saving.restore(url, file, "test")
    with Store.open(url) as store:
        assert store.upkeep.vitals().waiting == 1


def test_it_is_not_put_back_while_anybody_has_the_database_open(url: str, saved: Path) -> None:
    with Store.open(url) as store:
        store.counts()
        with pytest.raises(BackupError, match="in use"):
            saving.restore(url, saved, "test")
    assert votes_in(url) == 3


@pytest.mark.parametrize("any_database", ["postgresql"], indirect=True)  # a file is left at once
def test_whoever_is_just_leaving_is_waited_for(url: str, saved: Path) -> None:
    last = psycopg.connect(url)
    leaves = threading.Timer(1.0, last.close)
    leaves.start()
    saving.restore(url, saved, "test")
    leaves.join()
    assert votes_in(url) == 2


@pytest.mark.parametrize("any_database", ["sqlite"], indirect=True)  # decided before any engine is asked
def test_a_backup_of_a_newer_version_is_refused(url: str, saved: Path) -> None:
    text = json.loads(manifest_of(saved).read_text())
    manifest_of(saved).write_text(json.dumps(text | {"tables": "9999"}))
    with pytest.raises(BackupError, match="upgrade the program"):
        saving.restore(url, saved, "test")


@pytest.mark.parametrize("any_database", ["sqlite"], indirect=True)  # decided before any engine is asked
def test_the_oldest_backups_go_and_nothing_else_in_their_folder(url: str, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / "not-ours.backup").write_text("keep me")
    for number, name in enumerate(("zrazkovo-0", "before-the-upgrade", "zrazkovo-1", "zrazkovo-2")):
        made = saving.save(url, folder / f"{name}.backup")
        text = json.loads(manifest_of(folder / f"{name}.backup").read_text())
        manifest_of(folder / f"{name}.backup").write_text(json.dumps(text | {"made_unix_ms": number}))
        assert made.votes == 0
    done = collector(url, "backup", str(folder), "--keep", "2")
    assert done.returncode == 0, done.stderr
    left = sorted(path.name for path in folder.glob("*.backup"))
    assert len(left) == 4 and {"zrazkovo-2.backup", "before-the-upgrade.backup", "not-ours.backup"} < set(left)
    assert len(list(folder.glob("*.json"))) == 3 and not list(folder.glob("*.part*"))
    for manifest in folder.glob("zrazkovo-*.json"):  # a clock that is set back: all others are of the future
        text = json.loads(manifest.read_text())
        manifest.write_text(json.dumps(text | {"made_unix_ms": text["made_unix_ms"] + 10**13}))
    there = set(folder.glob("zrazkovo-*.backup"))
    second = time.time()
    while time.time() < second + 1:  # a backup is called after its second, and does not take another's place
        threading.Event().wait(0.05)
    done = collector(url, "backup", str(folder), "--keep", "2")
    assert done.returncode == 0 and len(set(folder.glob("zrazkovo-*.backup")) - there) == 1, done.stdout


def test_what_is_missing_on_the_machine_is_said_with_how_to_get_it(url: str, tmp_path: Path) -> None:
    done = collector(url, "backup", str(tmp_path / "x.backup"), path=str(tmp_path))
    if url.startswith("sqlite"):
        assert done.returncode == 0
        return
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "collector: pg_dump is not on the PATH; on Debian: apt-get install postgresql-client\n"
    assert list(tmp_path.glob("x.backup*")) == []
    with Store.open(url) as store:
        entry = store.upkeep.last(BACKUP)
        assert entry and not entry.ok and store.upkeep.vitals().last_backup_unix_ms is None


def dying(work: Callable[[], object], place: int, arm: Callable[[Callable[[], None]], None]) -> bool:
    """Does ``work`` in a forked process that is killed at the ``place``-th place; whether it came that far."""
    child = os.fork()
    if child == 0:
        passed = 0

        def here() -> None:
            nonlocal passed
            passed += 1
            if passed == place:
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            arm(here)
            work()
            os._exit(0)
        except BaseException as error:
            os.write(2, f"{error!r}\n".encode())  # pytest shows it with the failure
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "it failed instead of dying"
    return os.WIFSIGNALED(status)


def at_files(here: Callable[[], None]) -> None:
    """A place before each file is renamed, linked, removed, opened as a database."""

    def hook(name: str, _: object) -> None:
        if name in ("os.rename", "os.link", "os.remove", "sqlite3.connect"):
            here()

    sys.addaudithook(hook)


def at_steps(here: Callable[[], None]) -> None:
    """A place before and after each step with PostgreSQL."""
    for name in ("make", "check", "put_in_place", "exists", "sessions", "finish", "dumping"):
        step = getattr(save_postgresql, name)

        def wrapped(*arguments: object, step: Callable[..., object] = step) -> object:
            here()
            done = step(*arguments)
            here()
            return done

        setattr(save_postgresql, name, wrapped)


def armed(url: str) -> Callable[[Callable[[], None]], None]:
    return at_files if url.startswith("sqlite") else at_steps


def test_cut_off_anywhere_a_restore_leaves_the_old_or_the_new(url: str, saved: Path) -> None:
    died = 0
    for place in range(1, 100):
        if not dying(lambda: saving.restore(url, saved, "test"), place, armed(url)):
            break
        died += 1
        assert votes_in(url) in (2, 3)
        if votes_in(url) == 2:  # the last steps: it was in place already; put the third vote back
            with Store.open(url) as store:
                call_and_vote(store, 3)
    assert died >= 6
    assert votes_in(url) == 2
    saving.restore(url, saved, "test")  # what the cut ones left behind is in nobody's way
    assert votes_in(url) == 2


def test_cut_off_anywhere_a_backup_leaves_no_file_that_looks_like_one(url: str, tmp_path: Path) -> None:
    with Store.open(url) as store:
        call_and_vote(store, 1, 2)
    file = tmp_path / "two.backup"
    died = 0
    for place in range(1, 100):
        if not dying(lambda: saving.save(url, file), place, armed(url)):
            break
        died += 1
        if file.exists():  # it was done but for tidying up
            break
    assert died >= 4
    assert saving.verify(file).votes == 2
    assert list(tmp_path.glob("two.backup.part*")) == []
