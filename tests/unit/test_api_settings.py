"""The api's settings: file, environment, and what is refused with the key named."""

import os
from pathlib import Path

import pytest

from api.settings import Settings, load_settings
from schemas.settings import BadSettings


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"ZRAZKOVO_API_{name.upper()}", raising=False)


def written(folder: Path, text: str) -> Path:
    file = folder / "api.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_defaults_listen_on_loopback_only() -> None:
    settings = load_settings(None, os.environ)
    assert (settings.listen_host, settings.listen_port, settings.default_language) == ("127.0.0.1", 8080, "uk")


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = written(tmp_path, 'listen_port = 9000\ndefault_language = "en"\n')
    monkeypatch.setenv("ZRAZKOVO_API_LISTEN_PORT", "9001")
    settings = load_settings(file, os.environ)
    assert (settings.listen_port, settings.default_language) == (9001, "en")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("listen_prt = 1", "listen_prt"),
        ("listen_port = 70000", "listen_port"),
        ('listen_port = "http"', "listen_port"),
        ('default_language = "fr"', "default_language"),
        ('bench_host = "127.0.0.1"', "bench_port"),
        ('pads_ca_file = "absent.pem"', "pads_ca_file"),
        ('bench_token = "x"', "ZRAZKOVO_API_BENCH_TOKEN"),
        ("listen_port = ", "api.toml"),
    ],
)
def test_bad_settings_are_refused_by_the_name_of_their_key(tmp_path: Path, text: str, key: str) -> None:
    with pytest.raises(BadSettings, match=key):
        load_settings(written(tmp_path, text), os.environ)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match=r"absent\.toml: No such file"):
        load_settings(tmp_path / "absent.toml", os.environ)


def test_the_bench_token_comes_by_environment_and_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZRAZKOVO_API_BENCH_TOKEN", "very-secret")
    settings = load_settings(None, os.environ)
    assert settings.bench_token and settings.bench_token.get_secret_value() == "very-secret"
    assert "very-secret" not in repr(settings)


def test_an_unknown_variable_is_refused_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZRAZKOVO_API_LISTEN_PRT", "1")
    with pytest.raises(BadSettings, match="ZRAZKOVO_API_LISTEN_PRT"):
        load_settings(None, os.environ)
