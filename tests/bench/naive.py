"""The script that a person would write in an afternoon: a message, a look-up, a row, a commit. For comparison.

python tests/bench/naive.py PORT DATABASE [--wal]
"""

import json
import os
import sqlite3
import sys
from typing import Any

import paho.mqtt.client as mqtt


def main() -> None:
    database = sqlite3.connect(sys.argv[2])
    if "--wal" in sys.argv:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
    database.execute("CREATE TABLE IF NOT EXISTS call (id TEXT PRIMARY KEY, desk TEXT, operator TEXT, service TEXT)")
    database.execute(
        "CREATE TABLE IF NOT EXISTS vote"
        " (call TEXT PRIMARY KEY, rating INTEGER, desk TEXT, operator TEXT, service TEXT)"
    )
    database.commit()

    def on_message(client: mqtt.Client, userdata: Any, message: mqtt.MQTTMessage) -> None:
        data = json.loads(message.payload)
        if message.topic.endswith("/event"):
            row = (data["call"], data["desk"], data["operator"], data["service"])
            database.execute("INSERT OR IGNORE INTO call VALUES (?, ?, ?, ?)", row)
        else:
            call = database.execute("SELECT * FROM call WHERE id = ?", (data["call"],)).fetchone()
            if call:
                row = (data["call"], data["rating"], *call[1:])
                database.execute("INSERT OR IGNORE INTO vote VALUES (?, ?, ?, ?, ?)", row)
        database.commit()

    def on_connect(client: mqtt.Client, *_: Any) -> None:
        client.subscribe([("zrazkovo/1/queue/+/event", 1), ("zrazkovo/1/desk/+/vote", 1)])

    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.username_pw_set("collector", os.environ["BENCH_PASSWORD"])
    client.on_connect = on_connect
    client.on_subscribe = lambda *_: print("ready", flush=True)
    client.on_message = on_message
    client.connect("127.0.0.1", int(sys.argv[1]))
    client.loop_forever()


if __name__ == "__main__":
    main()
