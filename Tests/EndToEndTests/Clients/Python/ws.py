"""Talks to a hub's WebSocket with the package websockets, a JSON line for each thing that happens.

ws.py URL TOKEN TOPIC: subscribes from the log's beginning, stops the first run whose text it sees, and goes on until
the hub closes.
"""

import json
import sys

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

url, token, topic = sys.argv[1:4]


def say(**what):
    print(json.dumps(what), flush=True)


with connect(url, additional_headers={"Authorization": f"Bearer {token}"}, subprotocols=["belfry.v1"]) as socket:
    say(subprotocol=socket.subprotocol)

    def call(id, method, **parameters):
        socket.send(json.dumps({"jsonrpc": "2.0", "id": id, "method": method, "params": parameters}))

    call(1, "subscribe", topics=[topic], after=0)
    call("p", "ping")
    stopped = False
    try:
        while True:
            message = json.loads(socket.recv())
            say(message=message)
            frame = message.get("params", {})
            if frame.get("type") == "TEXT_MESSAGE_CONTENT" and not stopped:
                stopped = True
                call(2, "run.stop", run=frame["run"])
    except ConnectionClosed as closed:
        say(code=closed.rcvd.code if closed.rcvd else None, reason=closed.rcvd.reason if closed.rcvd else None)
