"""``python -m api person``: the first administrator, and that no password is ever an argument or printed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from api.access import passwords
from collector.store import Store
from tests.contract.api_office import REGISTER

PASSWORD = "correct horse battery staple"


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'office.db'}"
    with Store.open(url) as store:
        store.load_register(REGISTER)
    return url


def person(url: str, *arguments: str, typed: str = PASSWORD) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "api", "person", *arguments],
        input=typed + "\n",
        env=os.environ | {"ZRAZKOVO_API_DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_first_administrator_is_opened_closed_and_listed(url: str) -> None:
    ran = person(url, "add", "Root", "--name", "Root", "--role", "administrator")
    assert (ran.returncode, ran.stdout) == (0, "opened the account root, administrator\n"), ran.stderr
    assert person(url, "password", "root", typed="another horse altogether").returncode == 0
    with Store.open(url) as store:
        made = store.staff.by_login("root")
        assert made is not None and not made.must_change
        assert passwords.is_right(made.password, "another horse altogether")
    assert person(url, "close", "root").returncode == 0
    ran = person(url, "list")
    assert ran.stdout == "root administrator closed last signed in: never\n"
    assert PASSWORD not in ran.stdout + ran.stderr


@pytest.mark.parametrize(
    ("arguments", "typed", "said"),
    [
        (("add", "x", "--name", "X", "--role", "administrator"), "short", "12 characters"),
        (("add", "x", "--name", "X", "--role", "administrator"), "", "12 characters"),
        (("add", "x", "--name", "X", "--role", "head_of_branch"), PASSWORD, "needs branches"),
        (("add", "x", "--name", "X", "--role", "head_of_branch", "--branches", "atlantis"), PASSWORD, "atlantis"),
        (("add", "Ж", "--name", "X", "--role", "administrator"), PASSWORD, "login"),
        (("close", "nobody"), "", "nobody"),
    ],
)
def test_what_will_not_do_is_refused_in_one_line(url: str, arguments: tuple[str, ...], typed: str, said: str) -> None:
    ran = person(url, *arguments, typed=typed)
    assert ran.returncode == 1 and said in ran.stderr and len(ran.stderr.splitlines()) == 1
    assert not typed or typed not in ran.stderr
    with Store.open(url) as store:
        assert store.staff.everybody() == []
