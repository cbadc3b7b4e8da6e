"""What a person does next, in order. A text."""

from deploy.plan import Plan
from deploy.secrets import bridge_secret
from deploy.watching import METRICS_TOKEN


def steps(plan: Plan) -> str:
    """The numbered list that the command ends with; also written into the folder."""
    told = [*_certificate(plan), *_machine(plan), *_start(plan), *_after(plan)]
    numbered = "\n".join(f"{number:2}. {text}" for number, text in enumerate(told, start=1))
    return f"What to do next on the {plan.kind}'s machine, as root:\n\n{numbered}\n"


def _certificate(plan: Plan) -> list[str]:
    tls = plan.file("tls")
    found = [
        "On the computer with the authority (README, A real pad), not here:\n"
        f"      python -m firmware.host ca server authority {plan.domain}\n"
        f"    then carry its two files and the authority's ca.pem to {tls}: broker.pem, broker.key, ca.pem."
    ]
    return found


def _machine(plan: Plan) -> list[str]:
    units = plan.file("systemd")
    packages = "mosquitto" + (" postgresql" if plan.has_centre and plan.database == "postgresql" else "")
    found = [f"apt-get install {packages}; in {plan.code}, which all may read: make .venv/run.ok"]
    found.append(
        f"cp {units}/sysusers.conf /etc/sysusers.d/zrazkovo.conf && systemd-sysusers\n"
        f"    cp {units}/tmpfiles.conf /etc/tmpfiles.d/zrazkovo.conf && systemd-tmpfiles --create"
    )
    if plan.has_centre and plan.database == "postgresql":
        found.append(
            f"sudo -u postgres psql --file {plan.file('postgresql/role.sql')}\n"
            f"    pg_hba.conf: put the lines of {plan.file('postgresql/pg_hba.conf')} first; "
            f"cp {plan.file('postgresql/zrazkovo.conf')} to conf.d; systemctl restart postgresql"
        )
    found.append(
        f"cp -r {units}/*.service {units}/*.path {units}/*.target {units}/mosquitto.service.d /etc/systemd/system/"
        + (f"\n    cp {units}/*.timer /etc/systemd/system/" if plan.has_centre else "")
        + "\n    systemctl daemon-reload"
    )
    return found


def _start(plan: Plan) -> list[str]:
    found = [
        "systemctl restart mosquitto && systemctl enable --now zrazkovo.target",
        "systemctl list-units 'zrazkovo-*' && journalctl -u 'zrazkovo-*' -e: each says that it is ready.",
    ]
    if plan.has_centre:
        proxy = plan.file("proxy")
        found.append(f"In front of the api: {proxy}/nginx.conf or {proxy}/Caddyfile. Nobody outside reaches it before.")
        found.append(
            "The first tokens, for people and for the computer that flashes pads:\n"
            f"      cd {plan.code} && sudo -u zrazkovo .venv/bin/python -m collector "
            f"--config {plan.file('config/collector.toml')} token create head --scopes figures,devices"
        )
    return found


def _after(plan: Plan) -> list[str]:
    found = []
    if plan.has_feed:
        found.append(
            f"Give the queue system {plan.secret('queue.token')} and the feed's address, port {plan.ports['feed']};\n"
            f"    or describe it in {plan.file('config/feed.toml')} if the feed is to ask."
        )
    pads = f"Firewall: let pads reach TCP {plan.ports['pads']}"
    if plan.kind == "branch":
        assert plan.centre is not None
        found.append(f"{pads}; let this machine reach {plan.centre[0]}:{plan.centre[1]}. Nothing else comes in.")
        found.append(
            f"Pads: {plan.state}/broker/pads has a line for each. Registered at the centre, they come from there:\n"
            f"      python -m collector.fleet --config ... passwords {plan.branch}\n"
            "    else from `make flash` with its --passwords. The broker notices a new one by itself."
        )
        return found
    found.append(f"{pads}, people 443. Nothing else comes in.")
    if plan.kind == "centre":
        found.append(
            "For each branch: carry its bridge's secret to its machine, then run `python -m deploy branch` there:\n"
            + "\n".join(f"      {plan.secret(bridge_secret(branch))}" for branch in sorted(plan.branches))
        )
    found.append(
        f"For Prometheus: {plan.file('prometheus/prometheus.yml')}; the api's numbers want a token, as above with\n"
        f"    `token create prometheus --scopes metrics`, in {plan.secret(METRICS_TOKEN)}, for its user to read."
    )
    found.append(f"Copy {plan.state}/backups and {plan.out} to another machine every night, and try a restore.")
    return found
