"""The collector's settings: what wins over what, and how a wrong one is answered."""

from pathlib import Path

import pytest

from collector.errors import SettingsError
from collector.settings import PREFIX, Settings, load_settings


def configured(tmp_path: Path, text: str, **environ: str) -> Settings:
    path = tmp_path / "collector.toml"
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
    return load_settings(path, {PREFIX + name.upper(): value for name, value in environ.items()})


def test_the_file_wins_over_the_defaults_and_the_environment_over_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PREFIX + "BROKER_HOST", "10.0.0.2")
    settings = configured(tmp_path, 'broker_port = 8883\nbroker_host = "10.0.0.1"')
    assert (settings.broker_host, settings.broker_port, settings.client_id) == ("10.0.0.2", 8883, "collector-1")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("broker_prot = 1883", "broker_prot"),
        ("broker_port = 0", "broker_port"),
        ("broker_port = 70000", "broker_port"),
        ('broker_port = "many"', "broker_port"),
        ('client_id = "with/slash"', "client_id"),
        ('database_url = ""', "database_url"),
        ("broker_port = ", "not TOML"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, key: str) -> None:
    with pytest.raises(SettingsError, match=key):
        configured(tmp_path, text)


def test_an_unknown_variable_of_ours_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="BROKER_PROT"):
        configured(tmp_path, "", broker_prot="1")


def test_the_password_comes_from_the_environment_only_and_is_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SettingsError, match="ZRAZKOVO_COLLECTOR_BROKER_PASSWORD"):
        configured(tmp_path, 'broker_password = "hunter2"')
    monkeypatch.setenv(PREFIX + "BROKER_PASSWORD", "hunter2")
    settings = configured(tmp_path, 'database_url = "postgresql://zrazkovo:hunter2@localhost/zrazkovo"')
    assert settings.broker_password and settings.broker_password.get_secret_value() == "hunter2"
    assert "hunter2" not in repr(settings)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.toml"):
        load_settings(tmp_path / "none.toml", {})
