"""PostgreSQL on this machine: role, database, who may come in, settings; and the backup's script. Texts only."""

from deploy.plan import Plan
from deploy.units import USER

KEPT = 30


def postgresql(plan: Plan) -> dict[str, str]:
    """Text by file name below postgresql/; nothing for another database."""
    if plan.database != "postgresql" or not plan.has_centre:
        return {}
    return {
        "role.sql": f"""-- sudo -u postgres psql --file this. May be run again.
SELECT 'CREATE ROLE {USER} LOGIN'
  WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{USER}')\\gexec
SELECT 'CREATE DATABASE zrazkovo OWNER {USER} ENCODING ''UTF8'' TEMPLATE template0'
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'zrazkovo')\\gexec
REVOKE ALL ON DATABASE zrazkovo FROM PUBLIC;
""",
        "pg_hba.conf": f"""# To go into pg_hba.conf above every other line: the system's user {USER}, nobody else.
local   zrazkovo  {USER}               peer
local   zrazkovo  all                    reject
host    zrazkovo  all   0.0.0.0/0        reject
host    zrazkovo  all   ::/0             reject
""",
        "zrazkovo.conf": f"""# To go into conf.d. A vote is acknowledged when it is committed: commits must be durable.
fsync = on
synchronous_commit = on
full_page_writes = on
# {plan.collectors} collectors, fleet service, api with its pool, backup, and somebody who looks.
max_connections = {40 + 5 * plan.collectors}
checkpoint_timeout = 15min
max_wal_size = 4GB
log_min_duration_statement = 1s
idle_in_transaction_session_timeout = 5min
""",
    }


def backup_script(plan: Plan) -> str:
    """Calls the collector's own backup, which keeps the newest of them."""
    return f"""#!/bin/sh
# One file a night, {KEPT} of them. Copy {plan.state}/backups to another machine.
set -eu
umask 077
cd {plan.code}
exec .venv/bin/python -m collector --config {plan.file("config/collector.toml")} \\
  backup {plan.state}/backups --keep {KEPT}
"""
