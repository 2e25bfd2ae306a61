"""Visitors of the page, in sessions of their own, and what their browsers may send for each of its events."""

import base64
import json
import re
from contextlib import contextmanager
from itertools import count
from queue import SimpleQueue

from resnet_demo.images import EXAMPLES

from .client import call, photo, request, visit

CAT = EXAMPLES / "cat.jpg"
CLIENTS = 8
QUESTIONS = count(1)
# What the page sends where its configuration has nothing chosen yet, by the component's name.
CHOSEN = {
    "method": "saliency",
    "lesion-drawing": {"removed": ["layer1.1"]},
    "flow-networks": ["resnet8"],
    "camera": {"url": f"data:image/jpeg;base64,{base64.b64encode(CAT.read_bytes()).decode()}"},
}
# What a click carries, by the event's name.
CLICKED = {
    "_picked": "rocket",
    "_pick_twin": "plain",
    "_explain": "3",
    "_explain_layer": "layer1.0",
    "_visit": "trained",
}
# The tab that must be open for an event to look at anything.
INNER = {"_classes": "classes", "_methods": "pixels", "_features": "features", "_branch_ratios": "branch-ratios"}
# What no visitor sends, in place of inputs, and of what a click carries.
BAD = {
    "nothing": None,
    "a long text": "x" * 5000,
    "a path": {"path": "/etc/passwd"},
    "a path with meta": {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}},
    "an odd meta": {"path": "app.py", "meta": 5},
    "an address": {"path": "http://127.0.0.1:9/x", "url": "http://127.0.0.1:9/x", "meta": {"_type": "gradio.FileData"}},
    "a deep list": json.loads("[" * 400 + "]" * 400),
    "a negative number": -1,
    "a huge number": 1e308,
    "a list of lists": [["a"]],
    "a truth": True,
    "an update": {"__type__": "update", "value": "x"},
    "code": "${alert(1)}`'\"><img src=x onerror=alert(1)>",
}  # fmt: skip
EVENT_DATA = (None, {}, {"block": 5}, [], "x", 7, {"value": [1]}, {"index": 0}, {"key": {"path": "app.py"}})


class Visitors:
    """A session for each client that works at a time: one more takes the server a sixth of a second."""

    def __init__(self, url):
        self.sessions = SimpleQueue()
        for _ in range(CLIENTS):
            self.sessions.put(visit(url))

    @contextmanager
    def one(self):
        """A session that nobody else uses meanwhile."""
        session = self.sessions.get()
        try:
            yield session
        finally:
            self.sessions.put(session)


class Page:
    """What a visitor of the page may send: for every event, good values in place of all of its inputs.

    States are the server's: whatever is sent in place of one is ignored.
    """

    def __init__(self, url):
        self.url, config = url, json.loads(request(url, "/config")[1])
        self.components = {component["id"]: component for component in config["components"]}
        # Steps that cancel others or run in the browser have no answer of their own.
        self.events = [event for event in config["dependencies"] if event["backend_fn"]]

    def is_state(self, number):
        return self.components[number]["type"] == "state"

    def good(self, event, path):
        """Good values for the inputs of `event`, with the upload at `path` for its photo."""
        return [self._value(self.components[number], path) for number in event["inputs"]]

    def _value(self, component, path):
        if component["type"] == "number":  # Hidden: without a higher number each time, a question is not answered.
            return next(QUESTIONS)
        name, value = component["props"].get("elem_id"), component["props"].get("value")
        return CHOSEN.get(name, photo(path) if component["type"] == "image" else value)

    def ask(self, event, sent, session):
        """The answer to `sent`, from whoever has opened the tab that it is about."""
        name = event["api_name"]
        if name in INNER:
            call(self.url, self._selecting(INNER[name]), [], session)
        key = CLICKED.get(re.sub(r"_\d+$", "", name), "")
        return call(self.url, event["id"], sent, session, event_data={"key": key})

    def _selecting(self, tab):
        number = next(i for i, one in self.components.items() if one["type"] == "tabitem" and one["props"]["id"] == tab)
        return next(event["id"] for event in self.events if event["targets"] == [[number, "select"]])

    def changes(self, event, answer):
        """Whether the answer is a result that changes anything on the page: of a State, it never says so."""
        values = zip(event["outputs"], answer.get("data", ()), strict=False)
        return any(value != {"__type__": "update"} for number, value in values if not self.is_state(number))

    def explored(self, path):
        """Visitors who have looked at the photo at `path` in Explore: its States are set."""
        visitors, show = Visitors(self.url), next(event for event in self.events if event["api_name"] == "_show")
        for _ in range(CLIENTS):
            with visitors.one() as session:
                assert self.changes(show, self.ask(show, self.good(show, path), session))
        return visitors
