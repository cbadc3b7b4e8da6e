"""A register file that changes under a running feed: new desks are taken in, the rest is said, nothing is forgotten."""

from pathlib import Path

import pytest

from collector.feed import register_watch
from collector.feed.register_watch import RegisterWatch
from collector.feed.settings import load
from collector.feed.site import site_of
from collector.register import write_file

BASE = 'organisation = {name = "Центр", name_en = "Centre"}\n[[branch]]\nid = "centre"\nname = "Ц"\nname_en = "C"\n'
DESK = '[[desk]]\nid = "{0}"\nbranch = "centre"\nlabel = "1"\n'


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[RegisterWatch, dict[str, str], Path]:
    monkeypatch.setattr(register_watch, "LOOK_S", 0.0)
    monkeypatch.setenv("ZRAZKOVO_FEED_TICKET_SECRET", "a secret of the tests")
    register = tmp_path / "register.toml"
    register.write_text(BASE + DESK.format("centre-1"))
    (tmp_path / "feed.toml").write_text(f'register_file = "{register}"\n')
    settings = load(tmp_path / "feed.toml", {})
    site = site_of(settings)
    desks = dict(site.desks)
    return RegisterWatch(settings, site, desks), desks, register


def test_a_new_desk_is_taken_in_and_a_wrong_file_changes_nothing(
    watched: tuple[RegisterWatch, dict[str, str], Path],
) -> None:
    watch, desks, file = watched
    watch.look()
    assert (watch.health(), desks) == ({"state": "current"}, {"centre-1": "centre"})
    write_file(file, (BASE + DESK.format("centre-1") + DESK.format("centre-2")).encode())
    watch.look()
    assert (watch.health(), sorted(desks)) == ({"state": "current"}, ["centre-1", "centre-2"])
    write_file(file, (BASE + DESK.format("centre 3")).encode())
    watch.look()
    assert watch.health()["state"] == "wrong" and "register.toml, line 7" in watch.health()["problem"]
    assert sorted(desks) == ["centre-1", "centre-2"]
    file.unlink()
    watch.look()
    assert watch.health()["state"] == "wrong"


def test_another_branch_or_other_hours_need_a_restart_and_health_says_so(
    watched: tuple[RegisterWatch, dict[str, str], Path],
) -> None:
    watch, desks, file = watched
    more = '[[branch]]\nid = "new"\nname = "Н"\nname_en = "N"\n[[desk]]\nid = "new-1"\nbranch = "new"\nlabel = "1"\n'
    write_file(file, (BASE + DESK.format("centre-1") + more).encode())
    watch.look()
    assert (watch.health(), desks) == ({"state": "restart to take it in"}, {"centre-1": "centre"})
    write_file(file, (BASE + DESK.format("centre-1")).encode())
    watch.look()
    assert watch.health() == {"state": "current"}
