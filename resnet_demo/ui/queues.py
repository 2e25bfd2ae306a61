"""Which events wait for each other: at most `concurrency_limit` of one `concurrency_id` run at a time."""

from typing import Any

# Two analyses at once fill two cores; more only take turns. Every tab's heavy events share this queue.
QUEUE: dict[str, Any] = {"concurrency_id": "analysis", "concurrency_limit": 2}
# Downloads wait for the network and not for a core: they must never hold up an analysis.
FETCH: dict[str, Any] = {"concurrency_id": "fetch", "concurrency_limit": 2}
# A race takes all the time it is given, in a process that gives way to every other: one is enough.
RACE: dict[str, Any] = {"concurrency_id": "race", "concurrency_limit": 1}
PRIVATE: dict[str, Any] = {"api_visibility": "private"}
# What is answered at once, without waiting for anything.
QUICK: dict[str, Any] = {"queue": False, "show_progress": "hidden", **PRIVATE}
# An analysis of what was asked last: clicks in between are passed over.
LATEST: dict[str, Any] = {"trigger_mode": "always_last", "show_progress": "minimal", **PRIVATE, **QUEUE}
# What sets a State whose change others wait for: Gradio tells of a change only for events that went through a queue.
STATE: dict[str, Any] = {"show_progress": "hidden", "concurrency_limit": None, "api_visibility": "private"}
