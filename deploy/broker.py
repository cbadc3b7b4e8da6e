"""Mosquitto's configuration: listeners, users, limits, and a branch's bridge to the centre. Texts only.

What the numbers are for. A writer of ours publishes one thing, its oldest that is not acknowledged, and repeats it
(protocol/__init__.py). So no queue of a broker holds anything that its writer does not hold too: all of them may be
small, and one that is full or lost costs a repetition, never a vote.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping

from deploy.plan import Plan
from protocol import topics
from protocol.access import (
    BRANCH_RULES,
    MOSQUITTO_LISTENER_RULES,
    MOSQUITTO_RULES,
    READ,
    WRITE,
    branch_user,
    mosquitto_acl,
)

_ROUNDS = 101  # Mosquitto's own; the secrets are random, so a slow hash would protect nothing
# What may gather for each reader: for a collector that is away, or a bridge without its centre.
_QUEUED = {"office": 10_000, "centre": 10_000, "branch": 1000}
_IN_FLIGHT = 2000  # a collector acknowledges batches of 1,000: one is at work while the next one comes
# Kept by the writer and sent again (votes, events), or kept and replaced (acks, settings, offers of updates).
_CONFIRMED = ("vote", "event", "ack", "settings", "update")


def configuration(plan: Plan) -> str:
    """mosquitto.conf."""
    broker = plan.file("mosquitto")
    spare = 32 + 4 * len(plan.branches)  # programs, bridges, and somebody who looks
    bridge = f"\n# The line to the centre.\ninclude_dir {broker}/bridge\n" if plan.kind == "branch" else ""
    # A listener's rules stand below it; above the first they would open one more, plain and for everybody.
    rules = "\n".join(rule for rule in MOSQUITTO_RULES if rule not in MOSQUITTO_LISTENER_RULES)
    own = "\n".join(MOSQUITTO_LISTENER_RULES)
    return f"""# Mosquitto of this {plan.kind}. Written by `python -m deploy`.
user {plan.broker_user}
{rules}
password_file {plan.state}/broker/passwords
acl_file {broker}/acl

# Writers repeat what is not acknowledged: queues may be short, and losing this folder loses nothing.
persistence true
persistence_location {plan.state}/mosquitto/
autosave_interval 60
persistent_client_expiration 14d
max_inflight_messages {_IN_FLIGHT}
max_queued_messages {_QUEUED[plan.kind]}
max_queued_bytes 67108864
set_tcp_nodelay true
sys_interval 30
connection_messages true
log_dest stderr
log_type error
log_type warning
log_type notice
log_type information
log_timestamp false

# Programs on this machine.
listener {plan.ports["servers"]} 127.0.0.1
{own}
max_connections {spare}

# Pads, and whatever comes from other machines.
listener {plan.ports["pads"]}
{own}
certfile {plan.file("tls/broker.pem")}
keyfile {plan.file("tls/broker.key")}
tls_version tlsv1.2
max_connections {2 * plan.desks + spare}
{bridge}"""


def access_list(plan: Plan) -> str:
    """The acl_file."""
    return mosquitto_acl(dict(plan.branches) if plan.kind != "office" else None)


def bridge(plan: Plan, password: str) -> str:
    """A branch's bridge, with its password: Mosquitto reads that from nowhere else."""
    assert plan.centre is not None
    host, port = plan.centre
    user = branch_user("bridge", plan.branch)
    lines = "\n".join(_crossings(plan.branch, plan.branches[plan.branch]))
    return f"""# {plan.branch}'s line to the centre. Written by `python -m deploy`.
connection {user}
address {host}:{port}
remote_username {user}
remote_password {password}
remote_clientid {user}
bridge_cafile {plan.file("tls/ca.pem")}
bridge_tls_version tlsv1.2
bridge_protocol_version mqttv311
# Both ends keep what the other has not got, in the bounds of max_queued_messages.
cleansession false
local_cleansession false
try_private true
notifications false
keepalive_interval 20
restart_timeout 2 30

# Up: what pads and feed write. What is retained, or told anew, goes without confirmation: nobody needs half an hour of
# old states, and the newest one is sent at every connection. "call" is for the fleet service, which sees a dark pad.
# Down: acks, settings and updates are kept for the branch; a command or a piece that comes too late helps nobody.
{lines}
"""


def _crossings(branch: str, desks: tuple[str, ...]) -> list[str]:
    """A line a topic. Down they name each desk, so that the centre's broker compares nothing for other branches."""
    found = []
    for action, each in BRANCH_RULES["bridge"]:
        kind = each.rpartition("/")[2]
        quality = 1 if kind in _CONFIRMED else 0
        if action == WRITE:
            found.append(f"topic {each} out {quality}")
        else:
            assert action == READ
            names = desks if "/desk/" in each else (branch,)
            make = topics.desk if "/desk/" in each else topics.queue
            found += [f"topic {make(name, kind)} in {quality}" for name in names]
    return found


def password_script(plan: Plan) -> str:
    """A branch has no fleet service: this puts the servers' lines and the pads' together."""
    folder = f"{plan.state}/broker"
    return f"""#!/bin/sh
# The broker's password file: who serves here, then the pads (from `make flash`, or from the centre's register).
set -eu
umask 027
cat {plan.file("mosquitto/servers")} {folder}/pads > {folder}/passwords.new
chmod --reference={folder}/passwords {folder}/passwords.new
chown --reference={folder}/passwords {folder}/passwords.new
mv {folder}/passwords.new {folder}/passwords
"""


def passwords(users: Mapping[str, str]) -> str:
    """The servers' lines of a Mosquitto password file. The same secrets give the same text."""
    return "".join(f"{user}:{_verifier(user, secret)}\n" for user, secret in sorted(users.items()))


def _verifier(user: str, secret: str) -> str:
    """Mosquitto's $7$ (PBKDF2, SHA-512), with a salt that depends on the secret: a second run changes nothing."""
    salt = hmac.digest(secret.encode(), user.encode(), "sha512")[:12]
    made = hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, _ROUNDS)
    return f"$7${_ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(made).decode()}"
