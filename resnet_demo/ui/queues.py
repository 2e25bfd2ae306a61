"""Which events wait for each other: of one `concurrency_id`, at most `concurrency_limit` run at a time."""

from typing import Any

import torch

# How many analyses run at once, each on its share of the cores. On two cores, two serve more visitors, and a lone one
# sooner, than one on both cores or than four (benchmarks/RESULTS.md). Every tab's heavy events share it, but for
# a camera's.
AT_ONCE = 2
QUEUE: dict[str, Any] = {"concurrency_id": "analysis", "concurrency_limit": AT_ONCE}
# A queue of its own: a program that asks for a model that has to be fetched must not hold up the page.
API: dict[str, Any] = {"concurrency_id": "api", "concurrency_limit": AT_ONCE}
# Downloads wait for the network and not for a core: they must never hold up an analysis.
FETCH: dict[str, Any] = {"concurrency_id": "fetch", "concurrency_limit": 2}
# A race uses all the time it is given, in a process that yields to every other: one is enough.
RACE: dict[str, Any] = {"concurrency_id": "race", "concurrency_limit": 1}
# A camera sends frames for as long as it is on. They are analyzed one at a time: a frame that comes meanwhile takes the
# place of the one that waits. After so many seconds it is the turn of whoever waits for it; if nobody does, the browser
# goes on at once.
LIVE: dict[str, Any] = {"concurrency_id": "live", "concurrency_limit": AT_ONCE, "time_limit": 60}
PRIVATE: dict[str, Any] = {"api_visibility": "private"}
# Progress that is shown nowhere. "hidden" alone would not do: at every step of every event, Gradio copies all values of
# all components that ever were to show progress, and of everything inside them.
NO_PROGRESS: dict[str, Any] = {"show_progress": "hidden", "show_progress_on": []}
# By default, Gradio drops a click that comes while the last one is answered. "always_last" asks once more after that
# answer, with the inputs as they are then and the first click's data: it is for events that carry no data and set none
# of their own inputs. All others are sent at once, "multiple".
LAST: dict[str, Any] = {"trigger_mode": "always_last"}
# What is answered at once, without waiting for anything: clicks and choices.
QUICK: dict[str, Any] = {"queue": False, "trigger_mode": "multiple", **NO_PROGRESS, **PRIVATE}
# As quick, through the queue: only there is a visitor told why a click is not answered.
CLICK: dict[str, Any] = {"concurrency_limit": None, "trigger_mode": "multiple", **NO_PROGRESS, **PRIVATE}
# What is drawn without a photo: it takes a tenth of a second, the shapes of the loss a second each, once.
DRAW: dict[str, Any] = {"concurrency_id": "drawing", "concurrency_limit": 2, **LAST, **NO_PROGRESS, **PRIVATE}
# An analysis of the last choice: clicks in between are skipped.
LATEST: dict[str, Any] = {"show_progress": "minimal", **LAST, **PRIVATE, **QUEUE}
# What sets a State that other events listen to: Gradio announces changes only of events that went through a queue.
STATE: dict[str, Any] = {"concurrency_limit": None, **LAST, **NO_PROGRESS, **PRIVATE}


def share_cores() -> None:
    """Give each of the analyses that run at once its share of the threads that torch would take."""
    torch.set_num_threads(max(1, torch.get_num_threads() // AT_ONCE))
