"""The TOML of collector, feed, fleet service and api. Secrets stand in none of them."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from deploy.plan import Plan

COLLECTOR = "ZRAZKOVO_COLLECTOR_"  # what its variables begin with


def database_url(plan: Plan) -> str:
    """Through the local socket as the system's user "zrazkovo", so without a password (PostgreSQL's peer)."""
    if plan.database == "sqlite":
        return f"sqlite:///{plan.state}/zrazkovo.db"
    if plan.database != "postgresql":
        return plan.database
    return "postgresql:///zrazkovo?host=/var/run/postgresql"


def settings(plan: Plan, queue_token: str) -> dict[str, str]:
    """Text by file name, for the programs of this plan."""
    register = str(plan.file("register.toml"))
    line: dict[str, object] = {"broker_host": "127.0.0.1", "broker_port": plan.ports["servers"]}
    data = {"database_url": database_url(plan)}
    spool: dict[str, object] = {"spool": f"{plan.state}/spool"}
    shared: dict[str, object] = {"metrics_port": plan.ports["collector-metrics"]}
    if plan.collectors > 1:
        shared = {"shared_group": "collectors", "broker_user": plan.collector_users[0]}
    found: dict[str, tuple[str, Mapping[str, object]]] = {
        "collector": (_collector_head(plan), data | {"register_file": register} | line | shared | spool),
        "fleet": (FLEET_HEAD, data | line | _fleet(plan)),
        "api": (_API_HEAD, data | _api(plan)),
        "feed": (_FEED_HEAD, {"register_file": register} | line | _feed(plan, queue_token)),
    }
    texts = {f"{name}.toml": _toml(*found[name]) for name in plan.programs}
    return texts | (_instances(plan) if plan.collectors > 1 else {})


def _instances(plan: Plan) -> dict[str, str]:
    """What differs between equal collectors, as their environment."""
    first = plan.ports["collector-metrics"]
    return {
        f"{user}.env": f"{COLLECTOR}BROKER_USER={user}\n{COLLECTOR}METRICS_PORT={first + number}\n"
        for number, user in enumerate(plan.collector_users)
    }


def _collector_head(plan: Plan) -> str:
    several = "" if plan.collectors == 1 else " Each has its own broker_user and metrics_port in collector-1.env, ..."
    return f"""# python -m collector; all keys: collector/settings.py.{several}
# What a backup put back does not know yet is in the spool (python -m collector replay): better on another disk."""


FLEET_HEAD = """# python -m collector.fleet; all keys: collector/fleet/settings.py. Whom to tell, for instance:
#   it_mail = ["it@example.org"]
#   mail_host = "mail.example.org"
#   mail_from = "zrazkovo@example.org"
#   [head_mail]
#   centre = ["head@example.org"]
# Mosquitto is told by zrazkovo-broker.path when the password file changes."""
_API_HEAD = "# python -m api; all keys: api/settings.py. Whatever ends TLS for it: see proxy/."
_FEED_HEAD = """# python -m collector.feed; all keys: collector/feed/settings.py. The token: secrets/queue.token."""


def _fleet(plan: Plan) -> dict[str, object]:
    return {
        "releases": f"{plan.state}/releases",
        "password_base": str(plan.file("mosquitto/servers")),
        "password_file": f"{plan.state}/broker/passwords",
        "metrics_port": plan.ports["fleet-metrics"],
    }


def _api(plan: Plan) -> dict[str, object]:
    return {
        "listen_port": plan.ports["api"],
        "pads_broker_host": plan.domain,
        "pads_broker_port": plan.ports["pads"],
        "pads_ca_file": str(plan.file("tls/ca.pem")),
    }


def _feed(plan: Plan, queue_token: str) -> dict[str, object]:
    return {
        "database_url": f"sqlite:///{plan.state}/feed.db",
        "broker_user": plan.feed_user,
        "branches": list(plan.branches),
        "listen_port": plan.ports["feed"],
        "tokens": [hashlib.sha256(queue_token.encode()).hexdigest()],
    }


def _toml(head: str, values: Mapping[str, object]) -> str:
    # JSON's strings, numbers and lists of strings are TOML's too.
    lines = [f"{key} = {json.dumps(str(value) if isinstance(value, Path) else value)}" for key, value in values.items()]
    return "\n".join((head, *lines)) + "\n"
