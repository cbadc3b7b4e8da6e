"""The ceiling: paho, one thread, every message acknowledged by hand, nothing else. Counts into a file, by hundreds.

python tests/bench/bare.py PORT FILE
"""

import os
import sys

import paho.mqtt.client as paho

FILTERS = [("zrazkovo/1/desk/+/vote", 1), ("zrazkovo/1/queue/+/event", 1)]


def main() -> None:
    count = 0
    file = os.open(sys.argv[2], os.O_WRONLY)

    def on_message(client: paho.Client, _: object, message: paho.MQTTMessage) -> None:
        nonlocal count
        client.ack(message.mid, message.qos)
        count += 1
        if not count % 100:
            os.pwrite(file, b"%d" % count, 0)

    client = paho.Client(paho.CallbackAPIVersion.VERSION2, "bare-1", clean_session=False, manual_ack=True)
    client.username_pw_set("collector", os.environ["BENCH_PASSWORD"])
    client.on_connect = lambda client, *_: client.subscribe(FILTERS)
    client.on_subscribe = lambda *_: print("ready", flush=True)
    client.on_message = on_message
    client.connect("127.0.0.1", int(sys.argv[1]))
    while client.loop(1.0) == paho.MQTT_ERR_SUCCESS:
        pass


if __name__ == "__main__":
    main()
