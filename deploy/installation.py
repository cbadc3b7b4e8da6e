"""From arguments and register to a written folder: the one place that puts the texts together."""

from argparse import Namespace
from pathlib import Path

from collector.register import read_register
from deploy import broker, compose, database, folder, programs, proxy, units, watching
from deploy.errors import DeployError, WouldChange
from deploy.plan import PORTS, Plan, is_host
from deploy.secrets import Secrets, bridge_secret, broker_secret, needed
from deploy.steps import steps
from schemas.register import desks_by_branch

_STEPS = "NEXT.txt"


def plan_of(options: Namespace) -> Plan:
    """The plan that the command line and the register describe. Raises DeployError, RegisterError."""
    branches = desks_by_branch(read_register(options.register))
    if options.kind == "branch":
        if options.branch not in branches:
            known = ", ".join(sorted(branches))
            raise DeployError(f"--branch: {options.branch!r} is none of the register's: {known}")
        branches = {options.branch: branches[options.branch]}
    elif options.branch or options.centre:
        raise DeployError("--branch, --centre: for a branch only")
    return Plan(
        kind=options.kind,
        domain=options.domain,
        out=options.out.absolute(),
        state=options.state.absolute(),
        code=Path(__file__).absolute().parents[1],
        branches=branches,
        collectors=options.collectors,
        database=options.database or ("postgresql" if options.kind == "centre" else "sqlite"),
        centre=_centre(options.centre) if options.kind == "branch" else None,
        broker_user=options.broker_user,
        ports=PORTS | dict(_port(each) for each in options.port),
    )


def texts(plan: Plan, secrets: Secrets, register: str) -> dict[str, str]:
    """Every file of the installation but its secrets, by name below ``plan.out``."""
    users = {user: secrets[broker_secret(plan, user)] for user in plan.server_users}
    found = {
        "register.toml": register,
        "mosquitto/mosquitto.conf": broker.configuration(plan),
        "mosquitto/acl": broker.access_list(plan),
        "mosquitto/servers": broker.passwords(users),
        _STEPS: steps(plan),
    }
    if plan.kind == "branch":
        found["mosquitto/passwords.sh"] = broker.password_script(plan)
        found["mosquitto/bridge/centre.conf"] = broker.bridge(plan, secrets[bridge_secret(plan.branch)])
    if plan.has_centre:
        found["backup/backup.sh"] = database.backup_script(plan)
    token = secrets["queue.token"] if plan.has_feed else ""
    for under, parts in (
        ("config/", programs.settings(plan, token)),
        ("systemd/", units.units(plan)),
        ("postgresql/", database.postgresql(plan)),
        ("proxy/", proxy.proxies(plan)),
        ("prometheus/", watching.prometheus(plan)),
        ("", compose.compose(plan)),
    ):
        found |= {under + name: text for name, text in parts.items()}
    return found


def install(plan: Plan, register: Path, *, force: bool) -> str:
    """Writes the folder and gives the text for the person.

    Raises WouldChange, having written nothing, if a file is there with other contents and ``force`` is not given.
    """
    if plan.kind == "branch" and not plan.secret(bridge_secret(plan.branch)).exists():
        there = plan.secret(bridge_secret(plan.branch))
        raise DeployError(f"{there} is missing: the centre's machine has made it, carry it here first (mode 600)")
    text = register.read_text(encoding="utf-8")
    wanted = texts(plan, Secrets(plan.out / "secrets", dry=True), text)
    changes = list(folder.differences(plan.out, wanted))
    if changes and not force:
        shown = "\n\n".join(changes)
        raise WouldChange(f"{len(changes)} files would change; nothing was written. Look, then add --force.\n\n{shown}")
    secrets = Secrets(plan.out / "secrets")
    for name in needed(plan):
        secrets[name]  # makes what is missing
    plan.file("tls").mkdir(mode=0o755, parents=True, exist_ok=True)
    written = folder.write(plan.out, texts(plan, secrets, text))
    told = f"{plan.out}: wrote {', '.join(written)}" if written else f"{plan.out}: everything is as it should be"
    return f"{told}\n\n{steps(plan)}"


def _centre(text: str | None) -> tuple[str, int]:
    host, colon, port = (text or "").rpartition(":")
    if not colon:
        host, port = port, str(PORTS["pads"])
    if not is_host(host) or not port.isdecimal() or not 1 <= int(port) <= 65535:
        raise DeployError("--centre: the name of the centre's broker, perhaps with :PORT")
    return host, int(port)


def _port(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    if name not in PORTS or not number.isdecimal() or not 1 <= int(number) <= 65535:
        raise DeployError(f"--port: {text!r} is not NAME=NUMBER with a name out of {', '.join(PORTS)}")
    return name, int(number)
