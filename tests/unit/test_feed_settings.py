"""The feed's settings and command line: every bad key is named, and a secret stands nowhere but in the environment."""

import hashlib
from pathlib import Path

import pytest

from collector.feed.__main__ import main
from collector.feed.errors import BadSettings
from collector.feed.registry import ADAPTERS
from collector.feed.settings import load

GOOD = """register_file = "register.toml"
listen_port = 8123
"""
SECRET = "a secret of the tests"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZRAZKOVO_FEED_TICKET_SECRET", SECRET)
    (tmp_path / "register.toml").write_text('organisation = {name = "Центр", name_en = "Centre"}\n')
    config = tmp_path / "feed.toml"
    config.write_text(GOOD.replace("register.toml", str(tmp_path / "register.toml")))
    return config


def test_the_environment_wins_over_the_file_and_the_file_over_the_defaults(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZRAZKOVO_FEED_CALL_HOURS", "2")
    config.write_text(config.read_text() + "call_hours = 3\n")
    settings = load(config, {})
    assert (settings.call_hours, settings.listen_port, settings.broker_port) == (2, 8123, 1883)


def test_secrets_are_not_shown(config: Path) -> None:
    assert SECRET not in repr(load(config, {}))


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("colour = 1", "colour"),
        ("_env_file = 'x'", "_env_file"),
        ("listen_host = 3", "listen_host"),
        ("call_hours = 0", "call_hours"),
        ("broker_port = 70000", "broker_port"),
        ("tokens = ['plain']", "tokens"),
        ("broker_password = 'x'", "broker_password"),
        ("ticket_secret = 'a secret in a file'", "ticket_secret"),
        ("branches = ['elsewhere']", "branches"),
        ("no_call_services = ['A B']", "no_call_services"),
        ("= 3", "feed.toml"),
    ],
)
def test_bad_settings_name_the_key_and_exit_with_2(
    config: Path, line: str, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(config.read_text() + line)
    assert main(["--config", str(config)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("feed: ")
    assert key in said
    assert "a secret in a file" not in said


@pytest.mark.parametrize(
    ("name", "value"), [("TICKET_SECRET", "short"), ("BROKER_PORT", "many"), ("COLOUR", "red"), ("TOKENS", "[")]
)
def test_a_bad_variable_is_named_and_exits_with_2(
    config: Path, name: str, value: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZRAZKOVO_FEED_" + name, value)
    assert main(["--config", str(config)]) == 2
    said = capsys.readouterr().err
    assert "ZRAZKOVO_FEED_" in said
    assert name.lower() in said.lower()


def test_a_bad_register_exits_with_2(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (config.parent / "register.toml").write_text("colour = 1")
    assert main(["--config", str(config)]) == 2
    assert "register_file" in capsys.readouterr().err


def test_a_store_that_cannot_be_opened_exits_with_1(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(config.read_text() + f'database_url = "sqlite:///{config}/feed.db"\n')
    assert main(["--config", str(config)]) == 1
    assert capsys.readouterr().err.startswith("feed: ")


def test_a_fresh_token_comes_with_its_digest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token"]) == 0
    (_, token), (_, digest) = (line.split() for line in capsys.readouterr().out.splitlines())
    assert len(token) >= 43
    assert digest == hashlib.sha256(token.encode()).hexdigest()


def test_every_kind_of_queue_system_in_the_registry_has_its_list_in_the_settings(config: Path) -> None:
    settings = load(config, {})
    assert all(getattr(settings, kind) == () for kind in ADAPTERS)


def test_two_queue_systems_of_one_name_are_refused(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZRAZKOVO_FEED_SOURCE_SECRETS", '{"main": "a token"}')
    table = '\n[[fqm]]\nname = "main"\nurl = "http://192.0.2.7:5000"\noffices = {}\noperators = {}\n'
    config.write_text(config.read_text() + table)
    assert load(config, {}).secret_of("main") == "a token"
    config.write_text(config.read_text() + table)
    with pytest.raises(BadSettings, match="main"):
        load(config, {})


SYSTEMS = {
    "theq": 'offices = {61 = "centre"}\noperators = {7 = "op-7"}\n',
    "qmatic": 'connector = "http://x/qpevents"\nhook = "http://y"\nbranches = {1 = "c"}\nservice_points = {2 = "d"}\n',
    "sql": 'query = "SELECT * FROM log WHERE id >= :since ORDER BY id LIMIT 100"\nmark = "id"\nbranch = "centre"\n'
    'words = {A = "called"}\ncolumns = {time = "t", event = "e", ticket = "n", operator = "o"}\n',
}


@pytest.mark.parametrize("kind", sorted(SYSTEMS))
@pytest.mark.parametrize("secret", [None, "short"])
def test_a_queue_system_without_its_secret_is_refused_with_the_variable_to_set(
    config: Path, kind: str, secret: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text(config.read_text() + f'[[{kind}]]\nname = "main"\n' + SYSTEMS[kind])
    if secret is not None:
        monkeypatch.setenv("ZRAZKOVO_FEED_SOURCE_SECRETS", f'{{"main": "{secret}"}}')
    with pytest.raises(BadSettings, match=rf"{kind}.main.*ZRAZKOVO_FEED_SOURCE_SECRETS") as raised:
        load(config, {})
    assert "short" not in str(raised.value)
    good = "sqlite:///theirs.db" if kind == "sql" else "a-path-that-nobody-guesses"
    monkeypatch.setenv("ZRAZKOVO_FEED_SOURCE_SECRETS", f'{{"main": "{good}"}}')
    assert good not in repr(load(config, {}))


def test_https_wants_a_certificate_and_its_key(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = config.read_text()
    config.write_text(plain + 'listen_certificate = "cert.pem"\n')
    assert main(["--config", str(config)]) == 2
    assert "listen_key" in capsys.readouterr().err
    config.write_text(plain + 'listen_certificate = "cert.pem"\nlisten_key = "key.pem"\n')
    assert main(["--config", str(config), "--check-config"]) == 2
    assert "listen_certificate" in capsys.readouterr().err
