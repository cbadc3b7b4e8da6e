"""The fleet's settings: what may not be left out, and what may not stand in a file."""

from pathlib import Path

import pytest

from collector.errors import SettingsError
from collector.fleet.settings import PREFIX, load_settings
from deploy.programs import FLEET_HEAD


def load(tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch, **environ: str) -> object:
    file = tmp_path / "fleet.toml"
    file.write_text(text)
    named = {f"{PREFIX}{name.upper()}": value for name, value in environ.items()}
    for name, value in named.items():
        monkeypatch.setenv(name, value)
    return load_settings(file, named)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('broker_password = "x"', "a secret may not stand in"),
        ('mail_password = "x"', "a secret may not stand in"),
        ('webhook_secret = "x"', "a secret may not stand in"),
        ('it_mail = ["it@example.org"]', "set mail_host and mail_from too"),
        ('head_mail = { centre = ["head@example.org"] }', "set mail_host and mail_from too"),
        ('webhooks = ["https://example.org/hook"]', f"set {PREFIX}WEBHOOK_SECRET"),
        ('webhooks = ["file:///etc/passwd"]', "webhooks"),
        ('it_mail = ["it@example.org, all@example.org"]', "it_mail"),
        ('it_mail = ["it@example.org\\nBcc: x@example.org"]', "it_mail"),
        ('password_file = "passwords"', "one without the other"),
        ('broker_pid_file = "a"\nbroker_reload = "b"', "only one of them"),
        ('tell = ["dark", "gloomy"]', "there is no fault 'gloomy'"),
        ("armed_s = 0", "armed_s"),
        ("pieces_per_second = 0", "pieces_per_second"),
        ("colour = 1", "there is no such setting"),
    ],
)
def test_what_cannot_work_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, says: str
) -> None:
    with pytest.raises(SettingsError, match=says):
        load(tmp_path, text, monkeypatch)


def test_the_example_in_the_file_that_deploy_writes_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example = "\n".join(line.removeprefix("#   ") for line in FLEET_HEAD.splitlines() if line.startswith("#   "))
    assert "it_mail" in example and "[head_mail]" in example
    settings = load(tmp_path, example, monkeypatch, broker_password="not to be shown")
    assert "not to be shown" not in repr(settings)
