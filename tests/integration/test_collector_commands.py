"""The collector's command line as an operator of the system meets it: real processes, their output and exit codes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from collector.store import Limits, Store
from tests.integration.collector_process import REGISTER, ROOT

DESK = '\n[[desk]]\nid = "centre-01"\nbranch = "centre"\nlabel = "1"\n'


def collector(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    config = folder / "collector.toml"
    if not config.exists():
        config.write_text(f'database_url = "sqlite:///{folder / "zrazkovo.db"}"\n')
    return subprocess.run(
        [sys.executable, "-m", "collector", "--config", str(config), *arguments],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("ZRAZKOVO_")} | environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_register_is_loaded_and_a_wrong_one_leaves_the_old(tmp_path: Path) -> None:
    file = tmp_path / "register.toml"
    file.write_text(REGISTER + DESK)
    done = collector(tmp_path, "register", "load", str(file))
    assert (done.returncode, done.stdout) == (0, "1 branches, 1 services, 1 desks\n")
    file.write_text(REGISTER + DESK.replace("centre-01", "centre/01"))
    refused = collector(tmp_path, "register", "load", str(file))
    assert refused.returncode == 1
    assert refused.stderr.startswith("collector: ") and "centre/01" in refused.stderr
    with Store.open(f"sqlite:///{tmp_path / 'zrazkovo.db'}") as store:
        assert [desk.id for desk in store.register().desks] == ["centre-01"]


def test_a_token_is_printed_once_listed_without_its_secret_and_revoked(tmp_path: Path) -> None:
    made = collector(tmp_path, "token", "create", "wall", "--scopes", "figures, devices", "--days", "30")
    secret = made.stdout.strip()
    with Store.open(f"sqlite:///{tmp_path / 'zrazkovo.db'}") as store:
        token = store.find_token(secret)
    assert token and token.scopes == {"figures", "devices"} and token.expires_unix_ms
    listed = collector(tmp_path, "token", "list").stdout
    assert listed.startswith("wall devices,figures until 20") and secret not in listed
    assert collector(tmp_path, "token", "revoke", "wall").returncode == 0
    again = collector(tmp_path, "token", "revoke", "wall")
    assert (again.returncode, again.stderr) == (1, "collector: no token named 'wall' is in use\n")


def test_a_token_is_limited_to_parts_of_the_register_and_to_none_that_it_does_not_have(tmp_path: Path) -> None:
    file = tmp_path / "register.toml"
    file.write_text(REGISTER + DESK + '\n[[direction]]\nid = "papers"\nname = "Папери"\nname_en = "Papers"\n')
    collector(tmp_path, "register", "load", str(file))
    chosen = ("--branch", "centre", "--direction", "papers")
    secret = collector(tmp_path, "token", "create", "wall", "--scopes", "figures", *chosen).stdout.strip()
    with Store.open(f"sqlite:///{tmp_path / 'zrazkovo.db'}") as store:
        token = store.find_token(secret)
        assert token and token.limits == Limits(branches=frozenset({"centre"}), directions=frozenset({"papers"}))
        assert store.staff.changes()[0].detail == "figures branches=centre directions=papers"
    assert collector(tmp_path, "token", "list").stdout == "wall figures for ever branches=centre directions=papers\n"
    for flag, says in (
        ("--branch", "there is no branch 'atlantis' in the register; there are centre"),
        ("--direction", "there is no direction 'atlantis' in the register; there are papers"),
        ("--participant", "there is no participant 'atlantis' in the register; it has none"),
    ):
        refused = collector(tmp_path, "token", "create", "odd", "--scopes", "figures", *chosen, flag, "atlantis")
        assert (refused.returncode, refused.stdout, refused.stderr) == (1, "", f"collector: {says}\n")
    assert "odd" not in collector(tmp_path, "token", "list").stdout


def test_a_recount_of_a_good_database_says_that_all_agrees(tmp_path: Path) -> None:
    assert collector(tmp_path, "migrate").returncode == 0
    done = collector(tmp_path, "recount")
    assert (done.returncode, done.stdout) == (0, "collector: every figure agrees with the rows it comes from\n")


@pytest.mark.parametrize(
    ("text", "says"),
    [("broker_prot = 1\n", "broker_prot"), ('broker_password = "x"\n', "ZRAZKOVO_COLLECTOR_BROKER_PASSWORD")],
)
def test_bad_settings_name_the_key_and_end_with_2(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "collector.toml").write_text(text)
    done = collector(tmp_path, "migrate")
    assert done.returncode == 2 and says in done.stderr and done.stderr.startswith("collector: ")


def test_it_does_not_run_without_a_password(tmp_path: Path) -> None:
    done = collector(tmp_path)
    assert done.returncode == 2 and "ZRAZKOVO_COLLECTOR_BROKER_PASSWORD" in done.stderr


@pytest.mark.parametrize(
    ("module", "name", "needs"),
    [
        ("collector", "collector", {"ZRAZKOVO_COLLECTOR_BROKER_PASSWORD": "x"}),
        ("collector.fleet", "fleet", {"ZRAZKOVO_FLEET_BROKER_PASSWORD": "x"}),
        (
            "collector.feed",
            "feed",
            {"ZRAZKOVO_FEED_TICKET_SECRET": "sixteen characters", "ZRAZKOVO_FEED_REGISTER_FILE": "{register}"},
        ),
        ("api", "api", {}),
    ],
)
def test_the_settings_can_be_checked_without_starting_anything(
    tmp_path: Path, module: str, name: str, needs: dict[str, str]
) -> None:
    (tmp_path / "register.toml").write_text(REGISTER + DESK)
    config = tmp_path / "settings.toml"
    config.write_text(f'database_url = "sqlite:///{tmp_path / "none.db"}"\n')
    needed = {key: value.format(register=tmp_path / "register.toml") for key, value in needs.items()}
    environ = {key: value for key, value in os.environ.items() if not key.startswith("ZRAZKOVO_")} | needed

    def check() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", module, "--config", str(config), "--check-config"],
            cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip

    good = check()
    assert (good.returncode, good.stdout) == (0, f"{name}: the settings are good\n"), good.stderr
    config.write_text(config.read_text() + "colour = 1\n")
    bad = check()
    assert bad.returncode == 2
    assert bad.stderr == f"{name}: {config}, line 2: colour: there is no such setting\n"
    assert not (tmp_path / "none.db").exists()
