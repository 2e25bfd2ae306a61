"""`gr.Blocks` that trusts no client: whatever an event is sent, it answers, or says in one sentence why not.

A client can call every event, hidden and private ones too, with any JSON in place of any input.
"""

import logging
import math
import time
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import gradio as gr
from gradio.blocks import BlocksConfig

from resnet_demo.errors import FULL, InputError
from resnet_demo.ui.language import asked, speak, speaking
from resnet_demo.ui.sentences import DEFECT, DISK_FULL, GONE, LOST, MISFIT, Sentence
from resnet_demo.ui.turns import overtaken
from resnet_demo.ui.uploads import uploaded

log = logging.getLogger(__name__)
# The most messages that wait for browsers, of all visitors together. A page fetches each of its own at once.
MOST_UNREAD = 256


class Undescribed(BlocksConfig):
    """What a page consists of, which Gradio copies for each session. There, and again whenever something is shown, it
    would describe the components, for links into the page that are closed here: half a megabyte a visitor, and 50 ms
    for which everybody waits."""

    def __copy__(self) -> Any:
        config = super().__copy__()
        vars(config)["config_for_block"] = lambda *block: {}
        return config


class GuardedBlocks(gr.Blocks):
    """Its three steps of answering an event, each with its own reason to fail; and the same page in other languages.

    translated   the page by language, built from the same parts in the same order, so that they have the same numbers
    opened       a State that is true from the page's load event on, for as long as the server remembers the visitor;
                 None if it does not matter
    """

    translated: Mapping[str, gr.Blocks] = MappingProxyType({})
    opened: gr.State | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.default_config.__class__ = Undescribed

    @property
    def config(self) -> Any:
        """What the browser builds the page from, in the language of who asks."""
        other = self.translated.get(speaking())
        if other is None:
            return self._config
        return self._config | {part: other.config[part] for part in ("title", "components")}

    @config.setter
    def config(self, config: Any) -> None:
        self._config = config

    async def process_api(self, *args: Any, **kwargs: Any) -> Any:
        """An event, answered in the visitor's language; an answer that was overtaken changes nothing."""
        request = kwargs.get("request")
        with speak(asked(request.query_params, request.headers) if request else speaking()):
            self._require_uploaded(getattr(kwargs.get("event_data"), "_data", None))
            self._end_turn(kwargs.get("block_fn"), kwargs.get("event_id"))
            self._forget_unread()
            answer = await super().process_api(*args, **kwargs)
        if overtaken(kwargs["block_fn"], kwargs["inputs"], kwargs["state"]):
            # At the end of a generator, Gradio sends its last step again; and after its first step, only how each value
            # differs from the one before.
            steps = kwargs["iterator"] and answer["is_generating"]
            answer["data"] = [[["replace", [], gr.skip()]] if steps else gr.skip() for _ in answer["data"]]
        return answer

    def _end_turn(self, block_fn: Any, event_id: str | None) -> None:
        """Make this frame of a camera the last one if its time is over. Gradio counts the time of the frames only, but
        a client that sends few of them has the place of another visitor for as long."""
        event = self._queue.event_ids_to_events.get(event_id or "")
        limit = getattr(block_fn, "time_limit", None)
        if event and limit and time.monotonic() - vars(event).setdefault("began", time.monotonic()) > limit:
            event.run_time = math.inf

    def _forget_unread(self) -> None:
        """Gradio keeps every answer until its client fetches it, which a client need not do. One that comes for it too
        late finds nothing."""
        unread = self._queue.pending_messages_per_session
        if sum(messages.qsize() for messages in unread.values()) > MOST_UNREAD:
            messages = max(unread.values(), key=lambda messages: messages.qsize())
            while not messages.empty():
                messages.get_nowait()
        events = self._queue.pending_event_ids_session
        for gone in events.keys() - unread.keys():
            del events[gone]

    def _require_opened(self, block_fn: Any, state: Any) -> None:
        """A server that has started anew, or has had too many visitors since, would answer from the first values of its
        States, beside pickers that say another network."""
        if state is None or self.opened is None:
            return
        # A connection that broke for a while has closed nothing. Only of a page that is older than an hour, Gradio has
        # forgotten by then what was not set since; `opened` is the first.
        state.is_closed = False
        kinds = {kind for _, kind in block_fn.targets}
        # A tab can be selected before the page is loaded, and a camera goes on as it is. What does not go through the
        # queue could not be told: pickers follow each other, and what they ask then is refused.
        if state[self.opened._id] or kinds & {"select", "stream"} or not block_fn.queue:
            return
        if any(isinstance(block, gr.State) for block in block_fn.inputs):
            raise Sentence(LOST)

    def _require_uploaded(self, sent: Any) -> None:
        """Gradio would fetch an address that is sent as a path, and does not check a photo without "meta" at all."""
        try:
            known = all(uploaded(path, self.GRADIO_CACHE) for path in _paths(sent))
        except RecursionError as error:  # Lists in lists.
            raise Sentence(MISFIT) from error
        if not known:
            raise Sentence(GONE)

    async def preprocess_data(self, block_fn: Any, inputs: list[Any], state: Any, *args: Any, **kwargs: Any) -> Any:
        """What Gradio makes of `inputs`. Whatever fails here is the client's fault."""
        try:
            self._require_opened(block_fn, state)
            self._require_uploaded(inputs)
            values = await super().preprocess_data(block_fn, inputs, state, *args, **kwargs)
            # Gradio loads the example that a client names without asking whether it names one.
            if any(isinstance(b, gr.Dataset) and v is None for b, v in zip(block_fn.inputs, values, strict=False)):
                raise Sentence(MISFIT)
            return values
        except Sentence:
            raise
        except Exception as error:
            raise Sentence(MISFIT) from error

    async def call_function(self, block_fn: Any, *args: Any, **kwargs: Any) -> Any:
        """The handler's answer. The visitor is told what they can change; anything else is our defect, and logged."""
        if not block_fn.fn:
            raise Sentence(MISFIT)  # A step that runs in the browser.
        try:
            return await super().call_function(block_fn, *args, **kwargs)
        except gr.Error:
            raise
        except InputError as error:
            raise Sentence(error.message) from error
        except Exception as error:
            raise _defect(error) from error

    async def postprocess_data(self, block_fn: Any, *args: Any, **kwargs: Any) -> Any:
        """What the browser gets. Examples are copied for it, which fails on a full disk."""
        try:
            return await super().postprocess_data(block_fn, *args, **kwargs)
        except Exception as error:
            raise _defect(error) from error


def _defect(error: Exception) -> Sentence:
    if isinstance(error, OSError) and error.errno in FULL:
        return Sentence(DISK_FULL)
    log.error("An event failed.", exc_info=error)
    return Sentence(DEFECT)


def _paths(value: Any) -> Iterator[Any]:
    """Everything in `value` that Gradio might take for the path of a file."""
    if isinstance(value, dict):
        if value.get("path") is not None:
            yield value["path"]
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from _paths(item)
