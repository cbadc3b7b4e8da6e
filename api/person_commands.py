"""``python -m api person``: the first administrator, and help when nobody can sign in any more.

A password is asked for and never an argument, which every user of the machine could read. Everything else about people
is done on the page *People*.
"""

import getpass
import os
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from api.access import passwords
from api.access.roles import BRANCHES, DIRECTIONS, OPERATOR, PARTICIPANTS, ROLES
from api.access.signing_in import check
from api.errors import BadRequestBody, WeakPassword
from api.people_forms import rights_of
from api.settings import load_settings
from collector.store import Person, Store, StoreError
from schemas.settings import BadSettings

AUTHOR = "command line"


class Refused(Exception):
    """str() is one sentence for a person."""


def main(argv: Sequence[str]) -> int:
    """The exit code: 1 for what is refused, 2 for settings that are not good."""
    arguments = _parser().parse_args(argv)
    try:
        settings = load_settings(arguments.config, os.environ)
        with Store.open(settings.database_url) as store:
            arguments.do(store, arguments)
    except BadSettings as error:
        print(f"api: {error}", file=sys.stderr)
        return 2
    except (Refused, StoreError, OSError) as error:
        print(f"api: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="api person", description="Who may sign in; the page People does the rest.")
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings in TOML")
    verbs = parser.add_subparsers(metavar="COMMAND", required=True)
    add = verbs.add_parser("add", help="open an account; asks for its password")
    add.add_argument("login")
    add.add_argument("--name", required=True, help="the name that pages show")
    add.add_argument("--role", required=True, choices=sorted(ROLES))
    for part in (BRANCHES, PARTICIPANTS, DIRECTIONS, OPERATOR):
        add.add_argument(f"--{part}", default="", metavar="A,B" if part != OPERATOR else "ID")
    add.add_argument("--until", default="", metavar="DAY", help="the account's last day, 2026-12-31")
    add.set_defaults(do=_add)
    for name, do, does in (
        ("password", _password, "set somebody's password anew; ends their sessions"),
        ("close", _close, "end an account and its sessions at once"),
        ("open", _open, "open a closed account again"),
    ):
        verb = verbs.add_parser(name, help=does)
        verb.add_argument("login")
        verb.set_defaults(do=do)
    verbs.add_parser("list", help="everybody, with role and state").set_defaults(do=_list)
    return parser


def _add(store: Store, arguments: Namespace) -> None:
    fields = {part: getattr(arguments, part) for part in (BRANCHES, PARTICIPANTS, DIRECTIONS, OPERATOR)}
    try:
        rights = rights_of(fields | {"role": arguments.role, "until": arguments.until}, store.book.whole()[1])
    except BadRequestBody as error:
        raise Refused(str(error)) from None
    login = arguments.login.strip().casefold()
    if store.staff.by_login(login) is not None:
        raise Refused(f"there is somebody with the login {login} already")
    password = _asked(login, arguments.name)
    new = Person(
        login, arguments.name, rights.role, rights.limits, expires_unix_ms=rights.expires_unix_ms, created_by=AUTHOR
    )
    made = store.staff.create(new)
    store.staff.set_password(made.id, passwords.hashed(password), AUTHOR)
    print(f"opened the account {login}, {rights.role}")


def _password(store: Store, arguments: Namespace) -> None:
    person = _known(store, arguments)
    if person.issuer is not None:
        raise Refused(f"{person.login} signs in with the office's own account")
    store.staff.set_password(person.id, passwords.hashed(_asked(person.login, person.shown)), AUTHOR)
    print(f"changed the password of {person.login}; the sessions of before are over")


def _close(store: Store, arguments: Namespace) -> None:
    person = _known(store, arguments)
    store.staff.disable(person.id, AUTHOR)
    print(f"closed the account {person.login}")


def _open(store: Store, arguments: Namespace) -> None:
    person = _known(store, arguments)
    store.staff.enable(person.id, AUTHOR)
    print(f"opened the account {person.login} again")


def _list(store: Store, _: Namespace) -> None:
    now_unix_ms = time.time_ns() // 1_000_000
    for each in store.staff.everybody():
        state = "open" if each.may_sign_in(now_unix_ms) else "closed"
        last = "never" if each.signed_in_unix_ms is None else _day(each.signed_in_unix_ms)
        print(each.login, each.role, state, f"last signed in: {last}")


def _known(store: Store, arguments: Namespace) -> Person:
    person = store.staff.by_login(arguments.login.strip().casefold())
    if person is None:
        raise Refused(f"there is nobody with the login {arguments.login}")
    return person


def _asked(login: str, shown: str) -> str:
    """From the terminal twice, or one line of a pipe. Raises Refused for one that will not do."""
    if sys.stdin.isatty():
        password = getpass.getpass("password: ")
        if password != getpass.getpass("once more: "):
            raise Refused("the two are not the same")
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    try:
        check(password, login=login, shown=shown)
    except WeakPassword as error:
        words = str(error).rstrip(".")
        raise Refused(f"{words}; it needs {passwords.SHORTEST} characters or more") from None
    return password


def _day(unix_ms: int) -> str:
    return datetime.fromtimestamp(unix_ms / 1000, UTC).date().isoformat()
