"""How soon a hub with many runs that wait is ready again after kill -9, and what memory it holds for them.

    BELFRY_BIN=.build/release/belfry python3 ops/bench/waiting.py [RUNS] [PORT]
"""

import http.client
import json
import os
import pathlib
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
PORT = int(sys.argv[2]) if len(sys.argv) > 2 else 9501
SENDERS = 16
RULE = """
source: lab
preset: none
---
rule: waits
when: { source: [lab] }
limits: { concurrency: 256, runs_per_hour: 1000000 }
run: { steps: [{ step: rest, wait: 6h }, { step: ask, approve: "Go on?" }] }
"""


class Hub:
    def __init__(self, folder):
        self.data = f"{folder}/data"
        begun = time.monotonic()
        arguments = [os.environ["BELFRY_BIN"], "serve", "--port", str(PORT), "--log-level", "warning"]
        environment = os.environ | {"BELFRY_DATA": self.data, "BELFRY_RULES": f"{folder}/rules"}
        self.process = subprocess.Popen(arguments, env=environment, stdout=subprocess.DEVNULL)
        while not self.is_ready():
            if self.process.poll() is not None:
                sys.exit("the hub did not start")
            time.sleep(0.005)
        self.ready = (time.monotonic() - begun) * 1000

    def is_ready(self):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=5)
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except OSError:
            return False

    @property
    def waiting(self):
        with sqlite3.connect(f"file:{self.data}/belfry.db?mode=ro", uri=True) as database:
            return database.execute("SELECT count(*) FROM runs WHERE state = 'waiting'").fetchone()[0]

    @property
    def resident(self):
        """KiB"""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def send(first):
    connection = http.client.HTTPConnection("127.0.0.1", PORT)
    for number in range(first, COUNT, SENDERS):
        connection.request("POST", "/hooks/lab", json.dumps({"n": number}), {"content-type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        if answer.status >= 300:
            sys.exit(f"the hub answered {answer.status}")


with tempfile.TemporaryDirectory() as folder:
    pathlib.Path(folder, "rules").mkdir()
    pathlib.Path(folder, "rules", "waiting.yaml").write_text(RULE)
    hub = Hub(folder)
    try:
        empty = hub.resident
        senders = [threading.Thread(target=send, args=(first,)) for first in range(SENDERS)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        deadline = time.monotonic() + 120
        while hub.waiting < COUNT and time.monotonic() < deadline:
            time.sleep(0.2)
        print(f"{hub.waiting} runs wait, resident {hub.resident} KiB; with none {empty} KiB")
        for _ in range(3):
            hub.kill()
            hub = Hub(folder)
            time.sleep(1)
            each = max(0, hub.resident - empty) * 1024 / COUNT
            print(
                f"ready {hub.ready:.0f} ms after kill -9 and a new start, {hub.waiting} runs wait, "
                f"resident {hub.resident} KiB: {each:.0f} bytes a run"
            )
    finally:
        hub.kill()
