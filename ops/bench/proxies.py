#!/usr/bin/env python3
"""How much later a frame comes through a proxy than straight from the hub: both are watched for the same frames, so what
the disk and the publisher take does not count.

proxies.py HUB TOKEN SECONDS NAME=PORT...   HUB and the proxies are ports of this machine.
"""
import http.client
import re
import selectors
import socket
import sys
import threading
import time

hub, token, seconds = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
watched = {"direct": hub} | {name: int(port) for name, _, port in (a.partition("=") for a in sys.argv[4:])}
RATE, WARM_UP = 20, 20
TOPIC, MARK = "custom/bench-proxies", re.compile(rb'"proxy_bench":(\d+)\}')


def subscribe(port):
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(
        f"GET /v1/stream?topic={TOPIC} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Authorization: Bearer {token}\r\nAccept: text/event-stream\r\n\r\n".encode()
    )
    return connection


def publish(count):
    connection = http.client.HTTPConnection("127.0.0.1", hub)
    begin = time.monotonic()
    for number in range(count):
        time.sleep(max(0, begin + number / RATE - time.monotonic()))
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        connection.request("POST", f"/v1/topics/{TOPIC}", f'{{"proxy_bench":{number}}}', headers)
        connection.getresponse().read()


selector = selectors.DefaultSelector()
came = {name: {} for name in watched}
rest = {name: b"" for name in watched}
for name, port in watched.items():
    selector.register(subscribe(port), selectors.EVENT_READ, name)
time.sleep(1)
count = WARM_UP + int(RATE * seconds)
threading.Thread(target=publish, args=(count,), daemon=True).start()
deadline = time.monotonic() + seconds * 3 + 30
while time.monotonic() < deadline and any(len(numbers) < count for numbers in came.values()):
    for key, _ in selector.select(1):
        data = key.fileobj.recv(65536)
        now = time.monotonic()
        if not data:
            selector.unregister(key.fileobj)
        rest[key.data] += data
        found = list(MARK.finditer(rest[key.data]))
        for mark in found:
            came[key.data].setdefault(int(mark[1]), now)
        if found:
            rest[key.data] = rest[key.data][found[-1].end():]

failed = False
for name in list(watched)[1:]:
    both = [n for n in range(WARM_UP, count) if n in came[name] and n in came["direct"]]
    later = sorted(1000 * (came[name][n] - came["direct"][n]) for n in both) or [float("nan")]
    lost = len(came["direct"].keys() - came[name].keys())
    failed |= lost > 0
    p50, p99 = later[len(later) // 2], later[min(len(later) - 1, len(later) * 99 // 100)]
    print(f"{name:24} p50 {p50:6.2f} ms   p99 {p99:6.2f} ms   max {later[-1]:6.2f} ms   of {len(both)} frames, lost {lost}")
sys.exit(failed)
