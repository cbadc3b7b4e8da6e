"""Shakes hands again and again, in MicroPython: `handshakes.py FOLDER PORT COUNT`; prints ms of CPU, and bytes of heap.

FOLDER holds ca.der. CPU time, not time: what else the machine does must not count.
"""

import gc
import socket
import sys
import time

from firmware.board import tls

_CONNECT = b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x05\x00\x02aa"


def shake(rules, address):
    """The CPU time of the longest step, in ms."""
    sock = socket.socket()
    sock.connect(address)
    sock.setblocking(False)
    stream = rules.wrap(sock, "127.0.0.1")
    longest_s = 0
    taken = None
    while not taken:
        began_s = time.clock()
        taken = stream.write(_CONNECT)
        longest_s = max(longest_s, time.clock() - began_s)
        time.sleep_ms(1)
    stream.close()
    return round(longest_s * 1000)


def heap():
    gc.collect()
    return gc.mem_alloc()


def main():
    rules = tls.load(sys.argv[1])
    address = socket.getaddrinfo("127.0.0.1", int(sys.argv[2]))[0][-1]
    shake(rules, address)
    before = heap()
    longest = sorted([shake(rules, address) for _ in range(int(sys.argv[3]))])
    print("%d %d %d %d" % (longest[0], longest[len(longest) // 2], longest[-1], heap() - before))


main()
