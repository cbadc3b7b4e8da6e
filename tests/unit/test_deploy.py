"""What `python -m deploy` writes: secrets kept, changes shown before they are made, one table behind all rules."""

import json
import re
import stat
import tomllib
from pathlib import Path

import pytest
import yaml

from deploy.__main__ import main
from protocol.access import mosquitto_acl

REGISTER = """
organisation = {name = "Центр", name_en = "Centre"}
branch = [
  {id = "centre", name = "Центр", name_en = "Centre"},
  {id = "zamostia", name = "Замостя", name_en = "Zamostia"},
]
desk = [
  {id = "centre-1", branch = "centre", label = "1"},
  {id = "zamostia-1", branch = "zamostia", label = "1"},
]
"""
BRANCHES = {"centre": ("centre-1",), "zamostia": ("zamostia-1",)}
KINDS = {
    "office": (),
    "centre": ("--collectors", "3"),
    "branch": ("--branch", "zamostia", "--centre", "centre.example.org:8884"),
}


def deploy(folder: Path, kind: str, *more: str) -> int:
    register = folder / "register.toml"
    if not register.exists():
        register.write_text(REGISTER)
    if kind == "branch":
        (folder / "out" / "secrets").mkdir(parents=True, exist_ok=True)
        (folder / "out" / "secrets" / "bridge-zamostia.broker_password").write_text("made-at-the-centre-0123456789\n")
    arguments = [kind, "--register", str(register), "--out", str(folder / "out"), "--domain", "zrazkovo.example.org"]
    return main([*arguments, *KINDS[kind], *more])


def everything(folder: Path) -> dict[str, str]:
    out = folder / "out"
    return {str(path.relative_to(out)): path.read_text() for path in sorted(out.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("kind", KINDS)
def test_a_second_run_changes_nothing_and_says_so(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deploy(tmp_path, kind) == 0
    first = everything(tmp_path)
    capsys.readouterr()
    assert deploy(tmp_path, kind) == 0
    assert everything(tmp_path) == first
    assert "everything is as it should be" in capsys.readouterr().out


@pytest.mark.parametrize("kind", KINDS)
def test_secrets_are_private_stand_where_they_must_and_are_never_printed(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deploy(tmp_path, kind)
    deploy(tmp_path, kind, "--port", "pads=8899", "--force")
    printed = "".join(capsys.readouterr())
    secrets = {path.name: path for path in (tmp_path / "out" / "secrets").iterdir()}
    assert stat.S_IMODE((tmp_path / "out" / "secrets").stat().st_mode) & 0o077 == 0 or kind == "branch"
    for name, path in secrets.items():
        secret = path.read_text().strip()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, name
        assert secret not in printed
        holders = {file for file, text in everything(tmp_path).items() if secret in text}
        allowed = {f"secrets/{name}"} | ({"mosquitto/bridge/centre.conf"} if name.startswith("bridge") else set())
        assert holders <= allowed
    assert len({path.read_text() for path in secrets.values()}) == len(secrets)
    for name in ("mosquitto/servers", "mosquitto/bridge/centre.conf"):
        if (tmp_path / "out" / name).exists():
            assert stat.S_IMODE((tmp_path / "out" / name).stat().st_mode) == 0o600


def test_what_would_change_is_shown_and_made_only_with_force(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deploy(tmp_path, "office")
    by_hand = tmp_path / "out" / "config" / "fleet.toml"
    by_hand.write_text(by_hand.read_text() + 'it_mail = ["it@example.org"]\n')
    (tmp_path / "out" / "compose.yaml").unlink()
    first = everything(tmp_path)
    capsys.readouterr()
    (tmp_path / "register.toml").write_text(REGISTER.replace("centre-1", "centre-9"))
    assert deploy(tmp_path, "office") == 1
    said = capsys.readouterr().err
    assert '-it_mail = ["it@example.org"]' in said and '+  {id = "centre-9"' in said
    assert everything(tmp_path) == first, "all or nothing"
    assert deploy(tmp_path, "office", "--force") == 0
    now = everything(tmp_path)
    assert "it_mail" not in now["config/fleet.toml"].split("\n", 6)[-1] and "compose.yaml" in now
    assert {name: text for name, text in now.items() if name.startswith("secrets/")} == {
        name: text for name, text in first.items() if name.startswith("secrets/")
    }


def test_a_desk_more_changes_the_register_and_the_rules_but_no_secret(tmp_path: Path) -> None:
    deploy(tmp_path, "centre")
    before = everything(tmp_path)
    desk = '  {id = "zamostia-2", branch = "zamostia", label = "2"},\n]\n'
    (tmp_path / "register.toml").write_text(REGISTER.rstrip().removesuffix("]") + desk)
    assert deploy(tmp_path, "centre", "--force") == 0
    after = everything(tmp_path)
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {"register.toml", "mosquitto/acl", "mosquitto/mosquitto.conf"}
    assert "desk/zamostia-2/vote" in after["mosquitto/acl"]


def test_the_access_lists_are_the_one_table(tmp_path: Path) -> None:
    for kind in KINDS:
        (tmp_path / kind).mkdir()
        deploy(tmp_path / kind, kind)
    acl = {kind: (tmp_path / kind / "out" / "mosquitto" / "acl").read_text() for kind in KINDS}
    assert acl["office"] == mosquitto_acl()
    assert acl["centre"] == mosquitto_acl(BRANCHES)
    assert acl["branch"] == mosquitto_acl({"zamostia": BRANCHES["zamostia"]})


def test_a_bridge_passes_what_its_user_may_and_nothing_else(tmp_path: Path) -> None:
    deploy(tmp_path, "branch")
    text = everything(tmp_path)["mosquitto/bridge/centre.conf"]
    assert "address centre.example.org:8884\n" in text and "bridge_insecure" not in text
    crossing = dict(re.findall(r"^topic (\S+) (in|out) [01]$", text, re.M))
    section = mosquitto_acl(BRANCHES).split("user bridge-zamostia\n")[1].split("\npattern")[0].split("\nuser")[0]
    allowed = dict(reversed(rule.split()[1:]) for rule in section.splitlines())
    own = {topic: topic.replace("+", "zamostia-1" if "/desk/" in topic else "zamostia") for topic in crossing}
    passed = {own[topic]: way for topic, way in crossing.items()}
    assert passed == {topic: {"write": "out", "read": "in"}[action] for topic, action in allowed.items()}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--domain", "not a host"), "--domain"),
        (("--collectors", "2"), "SQLite has one writer"),
        (("--collectors", "9", "--database", "postgresql"), "from 1 to 8"),
        (("--database", "postgresql://zrazkovo:secret@db/zrazkovo"), "?passfile=FILE"),
        (("--port", "telnet=23"), "telnet=23"),
        (("--branch", "centre"), "for a branch only"),
        (("--state", "/var/lib/a b"), "--state"),
    ],
)
def test_a_wrong_argument_is_named_and_nothing_is_written(
    tmp_path: Path, more: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deploy(tmp_path, "office", *more) == 1
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_branch_waits_for_the_secret_that_the_centre_has_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "register.toml").write_text(REGISTER)
    arguments = ["branch", "--register", str(tmp_path / "register.toml"), "--out", str(tmp_path / "out")]
    assert main([*arguments, "--domain", "zamostia.example.org", *KINDS["branch"]]) == 1
    assert "bridge-zamostia.broker_password is missing" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert main([*arguments, "--domain", "b.example.org", "--branch", "other", "--centre", "c.example.org"]) == 1
    assert "none of the register's: centre, zamostia" in capsys.readouterr().err


@pytest.mark.parametrize("kind", KINDS)
def test_the_compose_file_has_the_same_programs_with_the_same_files(kind: str, tmp_path: Path) -> None:
    deploy(tmp_path, kind)
    out = tmp_path / "out"
    found = yaml.safe_load((out / "compose.yaml").read_text())
    units = {path.name for path in (out / "systemd").glob("*.service")}
    for name, service in found["services"].items():
        if name == "broker":
            continue
        program = name.partition("-")[0]
        assert f"zrazkovo-{program}.service" in units or f"zrazkovo-{program}@.service" in units
        assert Path(service["command"][-1]).is_file()
        for secret in service.get("secrets", ()):
            assert Path(found["secrets"][secret["source"]]["file"]).is_file(), secret
    count = {"office": 5, "centre": 6, "branch": 2}[kind]
    assert len(found["services"]) == count
    json.dumps(found)


def test_several_collectors_are_a_user_each(tmp_path: Path) -> None:
    deploy(tmp_path, "centre")
    made = everything(tmp_path)
    unit = made["systemd/zrazkovo-collector@.service"]
    assert "/config/collector-%i.env\n" in unit
    for number in (1, 2, 3):
        assert f"secrets/collector-{number}.broker_password" in made
        own = f"BROKER_USER=collector-{number}\nZRAZKOVO_COLLECTOR_METRICS_PORT={9100 + number}\n"
        assert made[f"config/collector-{number}.env"] == f"ZRAZKOVO_COLLECTOR_{own}"
        assert f"collector-{number}:$7$" in made["mosquitto/servers"]
        assert f"zrazkovo-collector@{number}.service" in made["systemd/zrazkovo.target"]
    assert tomllib.loads(made["config/collector.toml"])["shared_group"] == "collectors"
