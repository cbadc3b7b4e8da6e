"""Node-RED doing the same join into SQLite: its own nodes for MQTT and SQLite, one function between them.

Installed with npm into build/node-red at the first use (minutes: SQLite is compiled). Without npm it is left out.
"""

import json
import os
import shutil
import sqlite3
import subprocess
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from sim.ports import choose_lasting

INSTALLED = Path(__file__).resolve().parents[2] / "build" / "node-red"
PACKAGES = ("node-red@4", "node-red-node-sqlite@1.1")  # 5 wants Node.js 22.9, which Debian 12 does not have
DEADLINE_S = 60
# Calls are held in the flow's memory, as people do it; call and vote both go into the database.
_JOIN = """
const calls = context.get('calls') || new Map();
const m = msg.payload;
if (msg.topic.endsWith('/event')) {
    calls.set(m.call, m);
    context.set('calls', calls);
    msg.params = {$a: m.call, $b: m.desk, $c: m.operator, $d: m.service};
    return [msg, null];
}
const call = calls.get(m.call);
if (!call) return null;
calls.delete(m.call);
msg.params = {$a: m.call, $b: m.rating, $c: call.desk, $d: call.operator, $e: call.service};
return [null, msg];
"""
_TABLES = (
    "CREATE TABLE call (id TEXT PRIMARY KEY, desk TEXT, operator TEXT, service TEXT)",
    "CREATE TABLE vote (call TEXT PRIMARY KEY, rating INTEGER, desk TEXT, operator TEXT, service TEXT)",
)


def installed() -> bool:
    """Whether Node-RED is there, after trying to install it."""
    if (INSTALLED / "node_modules" / "node-red-node-sqlite" / "package.json").exists():
        return True
    if not shutil.which("npm"):
        return False
    INSTALLED.mkdir(parents=True, exist_ok=True)
    (INSTALLED / "package.json").write_text("{}")
    command = ["npm", "install", "--no-audit", "--no-fund", *PACKAGES]
    with (INSTALLED / "npm.log").open("w") as log:
        return subprocess.run(command, check=False, cwd=INSTALLED, stdout=log, stderr=log).returncode == 0


def start(folder: Path, broker_port: int, password: str, *, wal: bool) -> subprocess.Popen[bytes]:
    """A Node-RED of its own with its database in ``folder / "bench.db"``; returns when it is subscribed, or fails."""
    database = folder / "bench.db"
    with sqlite3.connect(database) as connection:
        if wal:
            connection.execute("PRAGMA journal_mode = WAL")
        for table in _TABLES:
            connection.execute(table)
    connection.close()
    port = choose_lasting()
    (folder / "flows.json").write_text(json.dumps(_flow(database, broker_port)))
    (folder / "flows_cred.json").write_text(json.dumps({"broker": {"user": "collector", "password": password}}))
    (folder / "settings.js").write_text(
        f"module.exports = {{ uiHost: '127.0.0.1', uiPort: {port}, flowFile: 'flows.json', credentialSecret: false,"
        f" nodesDir: [], logging: {{ console: {{ level: 'info' }} }} }};"
    )
    # Nodes are looked for in the user directory.
    (folder / "node_modules").symlink_to(INSTALLED / "node_modules")
    shutil.copy(INSTALLED / "package.json", folder / "package.json")
    program = INSTALLED / "node_modules" / "node-red" / "red.js"
    with (folder / "node-red.log").open("wb") as log:
        process = subprocess.Popen(
            ["node", str(program), "-u", str(folder), "-s", str(folder / "settings.js")],
            stdout=log,
            stderr=log,
            cwd=folder,
            env=os.environ | {"NODE_ENV": "production"},
        )
    _wait(folder, process, port)
    return process


def _wait(folder: Path, process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while True:
        said = (folder / "node-red.log").read_text()
        try:
            urlopen(f"http://127.0.0.1:{port}/", timeout=1).close()
            if "Connected to broker" in said:
                time.sleep(1.0)  # it subscribes after it has said so, and tells nobody
                return
        except (URLError, OSError):
            pass
        assert process.poll() is None and time.monotonic() < deadline, said
        time.sleep(0.1)


def _flow(database: Path, broker_port: int) -> list[dict[str, object]]:
    def listen(name: str, topic: str) -> dict[str, object]:
        shape = {"type": "mqtt in", "z": "flow", "qos": "1", "datatype": "json", "broker": "broker", "inputs": 0}
        return {**shape, "id": name, "topic": topic, "wires": [["join"]]}

    def write(name: str, statement: str) -> dict[str, object]:
        return {
            "id": name,
            "type": "sqlite",
            "z": "flow",
            "mydb": "db",
            "sqlquery": "prepared",
            "sql": statement,
            "wires": [[]],
        }

    return [
        {"id": "flow", "type": "tab", "label": "bench"},
        {"id": "broker", "type": "mqtt-broker", "broker": "127.0.0.1", "port": str(broker_port), "clientid": "node-red",
         "autoConnect": True, "usetls": False, "protocolVersion": "4", "keepalive": "60", "cleansession": True},
        {"id": "db", "type": "sqlitedb", "db": str(database), "mode": "RWC"},
        listen("events", "zrazkovo/1/queue/+/event"),
        listen("votes", "zrazkovo/1/desk/+/vote"),
        {"id": "join", "type": "function", "z": "flow", "func": _JOIN, "outputs": 2, "wires": [["call"], ["vote"]]},
        write("call", "INSERT OR IGNORE INTO call VALUES ($a, $b, $c, $d)"),
        write("vote", "INSERT OR IGNORE INTO vote VALUES ($a, $b, $c, $d, $e)"),
    ]  # fmt: skip
