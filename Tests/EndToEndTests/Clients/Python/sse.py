"""Reads an event stream of a hub with httpx-sse, a JSON line for each event.

sse.py URL TOKEN CUT: after CUT events the stream is cut and resumed with the last id, as the package's readme shows.
Ends with the stream, or with a run's last frame.
"""

import json
import sys

import httpx
from httpx_sse import connect_sse

url, token, cut = sys.argv[1], sys.argv[2], int(sys.argv[3])
last_event_id = ""


def read(client, count):
    """Reads up to `count` events; whether that was all of them."""
    global last_event_id
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
    if last_event_id:
        headers["Last-Event-ID"] = last_event_id
    with connect_sse(client, "GET", url, headers=headers) as source:
        source.response.raise_for_status()
        for event in source.iter_sse():
            if event.id:
                last_event_id = event.id
            if not event.data:
                continue
            frame = json.loads(event.data)
            print(json.dumps({"event": event.event, "id": event.id, "frame": frame}), flush=True)
            count -= 1
            if frame["type"] in ("RUN_FINISHED", "RUN_ERROR"):
                return True
            if count == 0:
                return False
    return True


with httpx.Client(timeout=60) as client:
    if not read(client, cut):
        read(client, -1)
