"""What a person is told who has written a mistake into the settings: the whole message, for each kind of mistake."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, SecretStr
from pydantic_settings import SettingsConfigDict

import api.settings
import collector.feed.settings
import collector.fleet.settings
import collector.settings
from collector.errors import CollectorError
from collector.feed.errors import FeedError
from schemas.mistakes import line_of
from schemas.settings import BadSettings, ProgramSettings, read_settings

TEXT = """# a comment
broker_port = 1883

tokens = [
  "a",
  "b",
]
[[fqm]]
name = "one"
offices = {1 = "centre"}
[fqm.operators.3]
desk = "x"

[[fqm]]
# the second
name = "two"
note = '''
broker_port = 2
'''
url = "x"
"""


@pytest.mark.parametrize(
    ("location", "line"),
    [
        (("broker_port",), 2),
        (("tokens",), 4),
        (("tokens", 1), 4),
        (("fqm",), 8),
        (("fqm", 0, "name"), 9),
        (("fqm", 0, "offices", "1"), 10),
        (("fqm", 0, "operators", "3", "desk"), 12),
        (("fqm", 1), 14),
        (("fqm", 1, "note"), 17),
        (("fqm", 1, "url"), 20),
        (("nothing",), None),
        (("fqm", 2), None),
        (("broker_port", "deeper"), None),
    ],
)
def test_the_line_of_an_entry_is_where_it_begins(location: tuple[int | str, ...], line: int | None) -> None:
    assert line_of(TEXT, location) == line


@given(
    st.lists(st.sampled_from(["", "# x", "k{} = [\n1,\n2]", "k{} = 1", "[t{}]", "[[a]]\nx = '''\n\n'''"]), max_size=20)
)
def test_the_line_of_every_key_is_the_one_it_was_written_on(pieces: list[str]) -> None:
    text, expected, table = "", {}, ()
    for number, piece in enumerate(pieces):
        line = text.count("\n") + 1
        if piece.startswith("[t"):
            table = (f"t{number}",)
            expected[table] = line
        elif piece.startswith("[[a"):
            table = ("a", sum(len(key) == 2 and key[0] == "a" for key in expected))
            expected[table] = line
        elif piece.startswith("k"):
            expected[(*table, f"k{number}")] = line
        text += piece.format(number) + "\n"
    assert {location: line_of(text, location) for location in expected} == expected


class Seat(BaseModel):
    model_config = ConfigDict(extra="forbid")
    desk: str


class Program(ProgramSettings):
    model_config = SettingsConfigDict(env_prefix="ZT_")
    SECRETS: ClassVar = ("password",)

    port: int = 1
    listed: tuple[str, ...] = ()
    seats: dict[str, Seat] | None = None
    password: SecretStr | None = None
    url: str = ""


def told(file: Path, text: str, program: Any = Program, environ: dict[str, str] | None = None) -> str:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadSettings) as refused:
        read_settings(program, file, environ or {})
    return str(refused.value).replace(str(file), "FILE")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\nport = yes", 'FILE, line 2: not TOML: Invalid value; text stands in quotes, as in key = "text"'),
        ("port = 1\nport = 2",
         "FILE, line 2: not TOML: Cannot overwrite a value; it stands there twice: keep one of them"),
        ("port", "FILE, line 1: not TOML: Expected '=' after a key in a key/value pair; a line says key = value, and a "
         "comment begins with #"),
        ("\n\nprot = 3", "FILE, line 3: prot: there is no such setting; did you mean port?"),
        ("colour = 3", "FILE, line 1: colour: there is no such setting"),
        ("# x\nport = 'many'", "FILE, line 2: port: must be a whole number, not 'many'"),
        ("port = 1.5", "FILE, line 1: port: must be a whole number, not 1.5"),
        ("listed = 'one'", "FILE, line 1: listed: must be a list, in brackets: [...], not 'one'"),
        ("listed = [\n'a',\n1]", 'FILE, line 1: listed[2]: must be text, in quotes: "...", not 1'),
        ("[seats.a]\ndesk = '1'\n\n[seats.b]\ndesck = '1'\ndesk = '1'",
         "FILE, line 5: seats.b.desck: there is no such key; did you mean desk?"),
        ("[seats.b]\n", "FILE, line 1: seats.b.desk: is missing; write desk = ... there"),
        ("password = 'hunter2'",
         "FILE, line 1: password: a secret may not stand in a file; take it out and set ZT_PASSWORD"),
        ("prot = 3\nport = 'x'\n", "2 mistakes in the settings\n  FILE, line 1: prot: there is no such setting; did "
         "you mean port?\n  FILE, line 2: port: must be a whole number, not 'x'"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_file_is_told_with_its_line_and_the_fix(tmp_path: Path, text: str, message: str) -> None:
    assert told(tmp_path / "t.toml", text) == message


def test_a_file_in_another_encoding_is_told_by_its_line(tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_bytes("# добре\n# Зразково\n".encode("cp1251"))
    with pytest.raises(BadSettings, match=r"t\.toml, line 1: not UTF-8; save the file in that encoding"):
        read_settings(Program, tmp_path / "t.toml", {})


def test_a_wrong_variable_is_named_with_the_likely_one(tmp_path: Path) -> None:
    assert (
        told(tmp_path / "t.toml", "", environ={"ZT_PROT": "1"})
        == "ZT_PROT: there is no such setting; did you mean ZT_PORT?"
    )


def test_a_wrong_value_in_the_environment_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZT_PORT", "many")
    assert (
        told(tmp_path / "t.toml", "port = 1", environ={"ZT_PORT": "many"})
        == "ZT_PORT: must be a whole number, not 'many'"
    )


def test_a_password_in_a_url_may_stand_in_a_file_that_not_everybody_reads(tmp_path: Path) -> None:
    file = tmp_path / "t.toml"
    file.touch(mode=0o644)
    file.chmod(0o644)
    said = told(file, "\nurl = 'postgresql://zrazkovo:hunter2@db/zrazkovo'")
    assert said == (
        "FILE, line 2: url: a password is in it and everybody may read this file (mode 644); chmod 640 FILE, or set "
        "ZT_URL instead"
    )
    file.chmod(0o640)
    assert read_settings(Program, file, {}).url.startswith("postgresql")


def test_no_message_quotes_a_password(tmp_path: Path) -> None:
    said = told(tmp_path / "t.toml", "port = 'postgresql://zrazkovo:hunter2@db/zrazkovo'\n")
    assert "hunter2" not in said


Load = Callable[[Path | None, dict[str, str]], object]
PROGRAMS: dict[str, Load] = {
    "COLLECTOR": collector.settings.load_settings,  # type: ignore[dict-item]
    "FEED": collector.feed.settings.load,  # type: ignore[dict-item]
    "FLEET": collector.fleet.settings.load_settings,  # type: ignore[dict-item]
    "API": api.settings.load_settings,  # type: ignore[dict-item]
}


@pytest.mark.parametrize(
    ("program", "text", "message"),
    [
        ("COLLECTOR", "broker_port = 70000", "FILE, line 1: broker_port: must be at most 65535, not 70000"),
        ("COLLECTOR", "client_id = 'a/b'", "FILE, line 1: client_id: must look like ^[A-Za-z0-9-]+$, not 'a/b'"),
        ("COLLECTOR", "database_url = ''", "FILE, line 1: database_url: must not be empty"),
        ("FEED", "call_hours = 4", "FILE: register_file: is missing; write register_file = ... into the file, or set "
         "ZRAZKOVO_FEED_REGISTER_FILE"),
        ("FEED", "register_file = 'r'",
         "ticket_secret: is missing; set ZRAZKOVO_FEED_TICKET_SECRET in the environment"),
        ("FLEET", "\nit_mail = ['it@office.example']",
         "FILE, line 2: it_mail, head_mail: set mail_host and mail_from too"),
        ("FLEET", "tell = ['offlin']", "FILE, line 1: tell: there is no fault 'offlin'"),
        ("API", "default_language = 'fr'",
         "FILE, line 1: default_language: must be 'uk', 'en', 'cs', 'pl' or 'et', not 'fr'"),
        ("API", "\nbench_port = 1", "FILE, line 2: bench_host and bench_port: set both or neither"),
    ],
)  # fmt: skip
def test_each_program_tells_its_own_mistakes(
    tmp_path: Path, program: str, text: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(os.environ):
        if name.startswith("ZRAZKOVO_"):
            monkeypatch.delenv(name)
    file = tmp_path / "t.toml"
    file.write_text(text)
    with pytest.raises((BadSettings, CollectorError, FeedError)) as refused:
        PROGRAMS[program](file, {})
    assert message in str(refused.value).replace(str(file), "FILE")
