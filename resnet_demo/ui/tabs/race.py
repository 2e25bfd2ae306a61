"""The live race on the Degradation tab: two networks that learn CIFAR-10 on this machine, for some seconds."""

import logging
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from resnet_demo.errors import InputError
from resnet_demo.records import Lap
from resnet_demo.training import fetch_cifar10, has_cifar10
from resnet_demo.training import race_process as racing
from resnet_demo.ui import html
from resnet_demo.ui.chart import Chart
from resnet_demo.ui.components import Choice, download_progress
from resnet_demo.ui.language import later, t, told
from resnet_demo.ui.queues import FETCH, NO_PROGRESS, PRIVATE, QUICK, RACE, STATE
from resnet_demo.ui.tabs.tab import Updates
from resnet_demo.ui.training_plots import race_plot

log = logging.getLogger(__name__)
PROGRESS = gr.Progress()
# What a race can show, and what it cannot.
INTRO = later(
    "<h3>Race two networks on CIFAR-10</h3><p>Both learn on this machine, now, from the same batches, taking turns, at "
    "the learning rate of the paper's warm-up. A race shows how they <i>start</i>; which one ends better takes many "
    "epochs to tell: see the curves above.</p>"
)
GETTING_READY = later("Getting ready: initializing both networks and reading the images.")
WAITING = later("Another visitor's race is running: yours begins when it ends.")
# Seconds after which a click on Start counts again if nothing came of it, as when too many waited.
AGAIN = 5


@dataclass(eq=False)
class Ticket:
    """One race that a visitor has asked for: names and seconds, and when. It `waits` for another visitor's to end, and
    is `over` once it has ended or was stopped, even if it never began."""

    names: tuple[str, str]
    seconds: float
    waits: bool = False
    asked: float = field(default_factory=time.monotonic)
    used: bool = False
    over: bool = False


class Race:
    """The lower part of the Degradation tab.

    data     CIFAR-10's images; torchvision's copy on this machine if None
    device   that the race runs on
    """

    def __init__(self, data: Path | None, device: str, offline: bool) -> None:
        self.data, self.device, self.offline = data, device, offline
        self.running: Ticket | None = None

    def build(self) -> None:
        """Make the components and wire them up."""
        gr.HTML(t(INTRO))
        with gr.Row(equal_height=True):
            racers = list(racing.RACERS)
            self.left = Choice(racers, value="resnet56", label=t("First racer"), scale=2, min_width=140)
            self.right = Choice(racers, value="plain56", label=t("Second racer"), scale=2, min_width=140)
            bounds = (racing.SHORTEST, racing.LONGEST)
            self.seconds = gr.Slider(*bounds, 30, step=5, label=t("Seconds"), scale=3, min_width=200, elem_id="seconds")
            ready = self._has_images()
            self.start = gr.Button(t("Start the race"), variant="primary", scale=1, min_width=130, interactive=ready)
            self.stop = gr.Button(t("Stop"), scale=1, min_width=80)
        # Whether this visitor was told if there are images.
        self.told = gr.State(False)
        self.ticket = gr.State(None)
        # What Stop says has a place of its own: an update of the race that is still on its way cannot overwrite it.
        self.ended = gr.HTML("", elem_id="race-ended")
        self.state = gr.HTML(status(self._readiness()), elem_id="race-state")
        self.fetch = gr.Button(t("Fetch CIFAR-10 (170 MB)"), visible=self._can_fetch(), size="sm")
        self.chart = Chart(elem_id="race")
        self._wire()

    def open(self, tab: gr.Tab) -> None:
        """Whether there are images to race on can change while the page is served."""
        tab.select(self._opened, [self.told, self.ticket], [self.told, self.state, self.fetch, self.start], **QUICK)

    def _wire(self) -> None:
        # Gradio's own way to stop an event, "cancels", often shows the visitor "Error".
        asked, entered = [self.ticket, self.left, self.right, self.seconds], [self.ticket, self.ended, self.state]
        # One click after the other: both would take a ticket at once.
        self.start.click(self._entered, asked, entered, **STATE)
        self.ticket.change(
            self._race, self.ticket, [self.chart, self.state],
            trigger_mode="multiple", **NO_PROGRESS, **PRIVATE, **RACE,
        )  # fmt: skip
        self.stop.click(self._stopped, [self.ticket, self.state], [self.ended, self.state], **QUICK)
        fetched = [self.state, self.fetch, self.start]
        self.fetch.click(self._fetch, None, fetched, show_progress_on=self.state, **PRIVATE, **FETCH)

    def _opened(self, told: bool, ticket: Ticket | None) -> Updates:
        """Once: it must not take the place of what is said of a race."""
        return gr.skip() if told or ticket else {self.told: True, **self._ready()}

    def _ready(self) -> Updates:
        return {
            self.state: status(self._readiness()),
            self.fetch: gr.update(visible=self._can_fetch()),
            self.start: gr.update(interactive=self._has_images()),
        }

    def _entered(self, ticket: Ticket | None, left: str, right: str, seconds: float) -> Updates:
        """A second click while the first one's race waits or runs changes nothing."""
        if ticket and not ticket.over and (ticket.used or time.monotonic() - ticket.asked < AGAIN):
            return gr.skip()
        if not self._has_images():
            return {self.state: html.alert(self._readiness())}
        waits = self.running is not None and not self.running.over
        told = status(t(WAITING) if waits else t(GETTING_READY))
        return {self.ticket: Ticket((left, right), seconds, waits), self.ended: "", self.state: told}

    def _race(self, ticket: Ticket | None) -> Iterator[Updates]:
        if ticket is None or ticket.used or ticket.over:
            yield gr.skip()  # Without a single step, Gradio would empty everything.
            return
        ticket.used, self.running = True, ticket
        try:
            yield from self._laps(ticket)
        finally:
            ticket.over = True
            if self.running is ticket:
                self.running = None

    def _laps(self, ticket: Ticket) -> Iterator[Updates]:
        # Who does not wait was told already: told again, it could come after what Stop says.
        yield {self.state: status(t(GETTING_READY))} if ticket.waits else gr.skip()
        text, done, names, seconds = "", 0, ticket.names, ticket.seconds
        try:
            # Closed when the visitor stops it or leaves, and with it the process.
            with closing(racing.run_race(names, seconds, self.data, self.device)) as race:
                for laps in race:
                    if ticket.over:
                        return
                    if len(laps) == done:
                        yield gr.skip()
                        continue
                    text, done = standing(names, laps[-1], seconds), len(laps)
                    yield {self.chart: race_plot(names, laps), self.state: status(text)}
        except InputError as error:
            log.warning("No race: %s", error)
            yield {self.state: html.alert(error.message)}
            return
        yield {self.state: status(t("Finished. {text}", text=text))}

    def _stopped(self, ticket: Ticket | None, said: Any) -> Updates:
        """How the race stood remains; that it is getting ready would not be true any more."""
        if ticket:
            ticket.over = True
        outdated = {self.state: ""} if said in (status(t(GETTING_READY)), status(t(WAITING))) else {}
        return {self.ended: status(t("Stopped.")), **outdated}

    def _fetch(self, progress: Any = PROGRESS) -> Updates:
        if self._can_fetch():
            try:
                fetch_cifar10(download_progress("CIFAR-10", progress), self.offline)
            except InputError as error:
                return {
                    self.state: html.alert(
                        f"{told(error.message)} {t('The recorded curves above are available in any case.')}"
                    )
                }
        return self._ready()

    def _has_images(self) -> bool:
        if not self.data:
            return has_cifar10()
        return os.path.exists(self.data)  # noqa: PTH110 - Path.exists raises where a name is too long

    def _can_fetch(self) -> bool:
        return not self.data and not self.offline and not has_cifar10()

    def _readiness(self) -> str:
        if self._has_images():
            return t("Only one race runs at a time, alongside everybody's analyses; it ends by itself.")
        if self._can_fetch():
            return t("The images of CIFAR-10 are not on this machine yet: fetch them once to start a race.")
        if self.offline:
            return t(
                "No race here: the images of CIFAR-10 are not on this machine, and it is offline. The curves above "
                "show what full training runs give."
            )
        return t(
            "No race here: the images of CIFAR-10 are not on this machine. The curves above show what full training "
            "runs give."
        )


def status(text: str) -> str:
    """How the race stands, for a screen reader too."""
    return f'<p class="facts" role="status">{escape(text)}</p>'


def standing(names: Sequence[str], lap: Lap, seconds: float) -> str:
    """The last lap in numbers."""
    losses = ", ".join(f"{name} {loss:.2f}" for name, loss in zip(names, lap.losses, strict=True))
    return t(
        "{done:.0f} of {seconds:.0f} s, batches of each: {batches}. Loss: {losses}.",
        done=lap.seconds,
        seconds=seconds,
        batches=lap.batches,
        losses=losses,
    )
