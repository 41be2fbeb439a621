"""Reads a run as AG-UI with httpx-sse, and each event with the package ag-ui-protocol, strictly; a JSON line for each.

agui.py URL TOKEN CUT: after every CUT events the stream is cut and resumed with the last id; 0: never. Ends with the
stream. An event that the package's models do not know, or one out of order, ends it with an error.
"""

import json
import sys

import httpx
from ag_ui.core import Event
from httpx_sse import connect_sse
from pydantic import TypeAdapter

url, token, cut = sys.argv[1], sys.argv[2], int(sys.argv[3])
events = TypeAdapter(Event)


class Verifier:
    """The order that AG-UI 1.0 demands: runs, and what is open inside of them."""

    PAIRS = {
        "STEP_STARTED": ("step_name", "STEP_FINISHED"),
        "TEXT_MESSAGE_START": ("message_id", "TEXT_MESSAGE_END"),
        "TOOL_CALL_START": ("tool_call_id", "TOOL_CALL_END"),
    }
    INSIDE = {"TEXT_MESSAGE_CONTENT": "TEXT_MESSAGE_START", "TOOL_CALL_ARGS": "TOOL_CALL_START"}

    def __init__(self):
        self.active = self.failed = self.begun = False
        self.open = {name: set() for name in self.PAIRS}

    def read(self, event):
        kind = event.type.value
        # Nothing but what the models describe: they keep what they do not know.
        assert not event.model_extra, f"unknown members {event.model_extra}"
        assert not self.failed, f"{kind} after RUN_ERROR"
        if kind == "RUN_STARTED":
            assert not self.active, "RUN_STARTED in a run"
            self.active = self.begun = True
            return
        assert self.active or (kind == "RUN_ERROR" and not self.begun), f"{kind} outside of a run"
        if kind in ("RUN_FINISHED", "RUN_ERROR"):
            assert not any(self.open.values()), f"{kind} with {self.open}"
            self.active, self.failed = False, kind == "RUN_ERROR"
        for start, (key, end) in self.PAIRS.items():
            if kind == start:
                assert getattr(event, key) not in self.open[start], f"{kind} twice"
                self.open[start].add(getattr(event, key))
            elif kind == end:
                self.open[start].remove(getattr(event, key))
        if start := self.INSIDE.get(kind):
            assert getattr(event, self.PAIRS[start][0]) in self.open[start], f"{kind} of what is not open"
            assert event.delta, f"{kind} without a delta"


verifier = Verifier()
last_event_id = ""


def read(client):
    """Reads up to the cut; whether the stream has ended."""
    global last_event_id
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
    if last_event_id:
        headers["Last-Event-ID"] = last_event_id
    count = 0
    with connect_sse(client, "GET", url, headers=headers) as source:
        source.response.raise_for_status()
        if source.response.status_code == 204:
            return True
        for event in source.iter_sse():
            verifier.read(events.validate_json(event.data))
            print(json.dumps({"id": event.id, "event": json.loads(event.data)}), flush=True)
            last_event_id = event.id or last_event_id
            count += 1
            if count == cut:
                return False
    return True


with httpx.Client(timeout=60) as client:
    while not read(client):
        pass
assert not verifier.active, "the stream has ended inside of a run"
