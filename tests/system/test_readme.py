"""What the README tells people to type, typed."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from collector.register import read_register
from collector.store import Store
from sim.city import CITY
from sim.office import write_register
from tests.system.centre import Centre

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def block_with(word: str) -> str:
    return next(block for block in BLOCKS if word in block)


def test_every_make_command_of_the_readme_exists() -> None:
    named = set(re.findall(r"`?\bmake ([a-z-]+)\b", README)) & set(re.findall(r"make ([a-z-]+)(?=`|\s+#)", README))
    assert {"run", "test", "sim", "help"} <= named
    listed = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for command in named:
        assert re.search(rf"make {command}\b", listed), f"make {command} is in the README and not in make help"


def test_every_file_that_the_readme_links_to_exists() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target.replace("\\", "")).exists(), target


def test_the_webhook_call_of_the_readme_arms_a_pad(tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed: apt-get install curl")
    command = block_with("curl")
    desk = re.search(r'"desk": "([^"]+)"', command)
    assert desk and desk[1] in {each.id for each in CITY.desks}
    with Centre(tmp_path, desks=12) as centre:
        assert desk[1] in {each.id for each in centre.city.desks}
        typed = command.replace("http://127.0.0.1:8085", centre.feed_address)
        environ = {**os.environ, "TOKEN": centre.webhook_token}
        said = subprocess.run(["bash", "-c", typed], env=environ, capture_output=True, text=True, check=True)
        assert '"accepted":1' in said.stdout.replace(" ", "")


def test_the_deployment_commands_work_in_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "collector.toml").write_text('database_url = "sqlite:///zrazkovo.db"\n', encoding="utf-8")
    write_register(tmp_path / "register.toml", CITY)
    (tmp_path / "backups").mkdir()
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    for line in block_with("-m deploy office").splitlines():
        typed = line.replace(".venv/bin/python", f"{ROOT}/.venv/bin/python").replace("/etc/", f"{tmp_path}/")
        said = subprocess.run(
            ["bash", "-c", typed], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
        )
        assert said.returncode == 0, f"{line}\n{said.stdout}{said.stderr}"
    assert "pattern write" in (tmp_path / "zrazkovo" / "mosquitto" / "acl").read_text(encoding="utf-8")
    assert list((tmp_path / "backups").iterdir())


def test_the_nights_work_is_done_as_the_readme_says(tmp_path: Path) -> None:
    (tmp_path / "api.toml").write_text('database_url = "sqlite:///zrazkovo.db"\n', encoding="utf-8")
    write_register(tmp_path / "register.toml", CITY)
    with Store.open(f"sqlite:///{tmp_path / 'zrazkovo.db'}") as store:
        store.load_register(read_register(tmp_path / "register.toml"))
    for line in block_with("-m api --config api.toml nightly").splitlines():
        typed = line.replace(".venv/bin/python", f"{ROOT}/.venv/bin/python")
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        said = subprocess.run(
            ["bash", "-c", typed], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
        )
        assert said.returncode == 0, f"{line}\n{said.stdout}{said.stderr}"


def test_a_centre_and_a_branch_of_it_are_written_as_the_readme_says(tmp_path: Path) -> None:
    write_register(tmp_path / "register.toml", CITY)
    typed = block_with("-m deploy branch").replace(".venv/bin/python", f"{ROOT}/.venv/bin/python")
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = ["bash", "-ec", typed.replace("/etc/", f"{tmp_path}/")]
    said = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    shared = (tmp_path / "zrazkovo-centre" / "secrets" / "bridge-vyshenka.broker_password").read_text().strip()
    bridge = (tmp_path / "zrazkovo" / "mosquitto" / "bridge" / "centre.conf").read_text(encoding="utf-8")
    assert f"remote_password {shared}\n" in bridge and "address centre.example.org:8883\n" in bridge


def test_the_firmware_builds_as_the_readme_says(tmp_path: Path) -> None:
    assert "python -m firmware.host build build/pad" in README
    command = [f"{ROOT}/.venv/bin/python", "-m", "firmware.host", "build", str(tmp_path / "pad")]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert (tmp_path / "pad" / "main.py").exists(), said.stdout


def test_an_office_gets_its_authority_its_key_and_a_release_as_the_readme_says(tmp_path: Path) -> None:
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "ZRAZKOVO_KEY_PASSPHRASE": "a long sentence"}
    for line in block_with("firmware.host ca init").splitlines():
        typed = line.replace(".venv/bin/python", f"{ROOT}/.venv/bin/python")
        command = ["bash", "-c", typed]
        said = subprocess.run(
            command, cwd=tmp_path, env=environ, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
        )
        assert said.returncode == 0, f"{line}\n{said.stdout}{said.stderr}"
    assert "1.1.0" in (tmp_path / "releases" / "1.1.0" / "release.json").read_text(encoding="utf-8")
    assert (tmp_path / "fleet.key").stat().st_mode & 0o077 == 0


def test_a_recorded_day_is_explained_as_the_readme_says(tmp_path: Path) -> None:
    write_register(tmp_path / "register.toml", CITY)
    (tmp_path / "feed.toml").write_text('register_file = "register.toml"\n', encoding="utf-8")
    body = re.search(r"-d '(\{.*?\})'", block_with("curl"), re.DOTALL)
    assert body
    (tmp_path / "day.jsonl").write_text(" ".join(body[1].split()) + "\n", encoding="utf-8")
    command = ["bash", "-c", block_with("check day.jsonl").replace(".venv/bin/python", f"{ROOT}/.venv/bin/python")]
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "ZRAZKOVO_FEED_TICKET_SECRET": "sixteen letters!"}
    said = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    assert "vyshenka-02" in said.stdout
