"""The generated units before systemd's own judge, and the generated lines before a real PostgreSQL."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.integration.postgres import Postgres
from tests.unit.test_deploy import KINDS, deploy

# Of 10. What is left: the network, and for the one that reloads the broker, root.
MOST_EXPOSED = {"zrazkovo-broker.service": 3.0}


def judge(*arguments: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    program = shutil.which("systemd-analyze")
    if not program:
        pytest.skip("systemd's units: systemd-analyze is missing (apt-get install systemd)")
    return subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("kind", KINDS)
def test_systemd_finds_no_fault_in_the_units_and_little_that_they_expose(kind: str, tmp_path: Path) -> None:
    deploy(tmp_path, kind)
    folder = tmp_path / "out" / "systemd"
    units = [path.name for path in folder.iterdir() if path.suffix in (".service", ".path", ".timer", ".target")]
    for unit in (unit for unit in units if "@" in unit):
        shutil.copy(folder / unit, folder / unit.replace("@", "@1"))  # an instance, as systemd would make it
    named = [unit.replace("@", "@1") for unit in units]
    verified = judge("verify", "--man=no", *(f"./{unit}" for unit in named), folder=folder)
    assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")
    for unit in (unit for unit in named if unit.endswith(".service")):
        most = f"--threshold={MOST_EXPOSED.get(unit, 2.0) * 10:.0f}"
        found = judge("security", "--offline=yes", most, f"./{unit}", folder=folder)
        assert found.returncode == 0, found.stdout[-400:]


def test_a_unit_with_a_fault_is_found(tmp_path: Path) -> None:
    deploy(tmp_path, "office")
    unit = tmp_path / "out" / "systemd" / "zrazkovo-feed.service"
    unit.write_text(unit.read_text().replace("ProtectSystem=strict", "ProtectSystem=stirct"))
    assert "stirct" in judge("verify", "--man=no", f"./{unit.name}", folder=unit.parent).stderr


@pytest.mark.parametrize("kind", KINDS)
def test_prometheus_takes_its_configuration(kind: str, tmp_path: Path) -> None:
    program = shutil.which("promtool")
    if not program:
        pytest.skip("Prometheus's rules: promtool is missing (apt-get install prometheus)")
    deploy(tmp_path, kind)
    (tmp_path / "out" / "secrets" / "api.metrics_token").write_text("token")
    command = [program, "check", "config", tmp_path / "out" / "prometheus" / "prometheus.yml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "SUCCESS" in done.stdout + done.stderr, done.stdout + done.stderr


def test_role_and_database_are_made_once_and_the_settings_are_postgresql_s(cluster: Postgres, tmp_path: Path) -> None:
    deploy(tmp_path, "centre")
    folder = tmp_path / "out" / "postgresql"
    url = cluster.url()
    script = tmp_path / "role.sql"  # the tests' own cluster belongs to a role of the name that we give
    script.write_text((folder / "role.sql").read_text().replace("zrazkovo", "deployed"))
    for _ in range(2):
        done = subprocess.run(["psql", url, "--file", script], capture_output=True, text=True, check=False)
        assert done.returncode == 0 and "ERROR" not in done.stderr, done.stderr

    def ask(question: str) -> str:
        return subprocess.run(
            ["psql", url, "-Atc", question], capture_output=True, text=True, check=True
        ).stdout.strip()

    assert ask("SELECT rolcanlogin, rolsuper FROM pg_roles WHERE rolname = 'deployed'") == "t|f"
    assert ask("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'deployed'") == "deployed"
    for line in (folder / "zrazkovo.conf").read_text().splitlines():
        if not line.startswith("#"):
            name, value = line.split(" = ")
            assert ask(f"SELECT vartype FROM pg_settings WHERE name = '{name}'"), name
            assert not subprocess.run(
                ["psql", url, "-c", f"ALTER SYSTEM SET {name} = '{value}'"], check=False
            ).returncode
            ask(f"ALTER SYSTEM RESET {name}")
    hba = [line.split() for line in (folder / "pg_hba.conf").read_text().splitlines() if not line.startswith("#")]
    assert {(len(line), line[-1]) for line in hba} == {(4, "peer"), (4, "reject"), (5, "reject")}
