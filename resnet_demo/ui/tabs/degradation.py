"""The Degradation tab: recorded training curves, final errors beside others', and a live race."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.events import Dependency

from resnet_demo import plots
from resnet_demo.errors import InputError
from resnet_demo.records import Lap, Source, Summary
from resnet_demo.training import fetch_cifar10, has_cifar10
from resnet_demo.training import race_process as racing
from resnet_demo.ui import html
from resnet_demo.ui.components import Choice, download_progress
from resnet_demo.ui.queues import DRAW, FETCH, PRIVATE, QUEUE, RACE
from resnet_demo.ui.tabs.construction import continued, solution
from resnet_demo.ui.tabs.tab import Updates
from resnet_demo.zoo import Card, Catalogue, results, weight_state

PROGRESS = gr.Progress()
# Hedged as the paper hedges it.
INTRO = (
    "<p>A deeper network could copy a shallower one and leave its other layers as identities, so it should not do "
    "worse. Yet He et al. saw <i>plain</i> networks get worse with depth, <b>on the training images too</b>: not "
    "overfitting, but <i>degradation</i>. Shortcuts cured it. Below is what this project measured, with residual and "
    "plain networks trained by the same recipe. <b>Bold: test error.</b> Dashed: training error.</p>"
)
# What a race can show, and what it cannot.
RACE_INTRO = (
    "<h3>Race two networks on this machine</h3><p>Both learn from the same batches of CIFAR-10, taking turns, at the "
    "learning rate of the paper's warm-up. A race shows how they <i>start</i>; which one ends better takes many epochs "
    "to tell: see the curves above.</p>"
)


class Degradation:
    """A `Tab`.

    data     CIFAR-10's images for the race; torchvision's copy on this machine if None
    device   that the race runs on
    """

    id, title, photo = "degradation", "Degradation", None

    def __init__(self, catalogue: Catalogue, data: Path | None, device: str, offline: bool) -> None:
        self.data, self.device, self.offline = data, device, offline
        self.catalogue = catalogue
        # Curves are of networks that were trained from scratch.
        self.cards = tuple(card for card in results.trained_cards(catalogue) if not card.start)
        self.own = {entry.name for entry in catalogue.entries() if weight_state(entry).kind == "yours"}

    def build(self) -> None:
        gr.HTML(INTRO)
        self._build_curves()
        self._build_race()
        self._wire()

    def load(self, page: gr.Blocks) -> Dependency:
        """Whether there are images to race on can change while the page is served."""
        return page.load(self._ready, None, [self.state, self.fetch], queue=False, show_progress="hidden", **PRIVATE)

    def open(self, tab: gr.Tab) -> None:
        tab.select(self._opened, [self.dataset, self.depths], [self.curves, self.solution], **DRAW)

    def _ready(self) -> Updates:
        return {self.state: status(self._readiness()), self.fetch: gr.update(visible=self._can_fetch())}

    def _build_curves(self) -> None:
        titles: dict[str, str] = {}
        for card in self.cards:
            titles.setdefault(card.dataset, card.dataset_title)
        names = [(title, dataset) for dataset, title in titles.items()]
        first = next(iter(titles), None)
        depths = self._depths(first)
        with gr.Row():
            self.dataset = gr.Radio(names, value=first, label="Data set", scale=1, visible=len(names) > 1)
            self.depths = gr.CheckboxGroup(depths, value=depths, label="Depths", scale=3, elem_id="depths")
        self.curves = gr.HTML("", elem_id="curves")
        self.solution = gr.HTML("", elem_id="solution")
        reached, missing = results.all_results(self.catalogue), results.missing(self.catalogue)
        marked = [replace(summary, name=self._whose(summary.name, summary.name)) for summary in reached]
        gr.HTML(results_table(marked, results.SOURCES, missing), elem_id="results")

    def _build_race(self) -> None:
        gr.HTML(RACE_INTRO)
        with gr.Row(equal_height=True):
            racers = list(racing.RACERS)
            self.left = Choice(racers, value="resnet56", label="First racer", scale=2, min_width=140)
            self.right = Choice(racers, value="plain56", label="Second racer", scale=2, min_width=140)
            bounds = (racing.SHORTEST, racing.LONGEST)
            self.seconds = gr.Slider(*bounds, 30, step=5, label="Seconds", scale=3, min_width=200, elem_id="seconds")
            self.start = gr.Button("Start the race", variant="primary", scale=1, min_width=130)
            self.stop = gr.Button("Stop", scale=1, min_width=80)
        self.state = gr.HTML(status(self._readiness()), elem_id="race-state")
        self.fetch = gr.Button("Fetch CIFAR-10 (170 MB)", visible=self._can_fetch(), size="sm")
        self.race = gr.HTML("", elem_id="race")

    def _wire(self) -> None:
        chosen = [self.dataset, self.depths]
        quick: dict[str, Any] = {"show_progress": "hidden", "trigger_mode": "always_last", **PRIVATE, **QUEUE}
        self.dataset.change(self._switch, self.dataset, [self.depths, self.curves, self.solution], **quick)
        self.depths.change(self._curves, chosen, self.curves, **quick)
        entrants = [self.left, self.right, self.seconds]
        shown = [self.race, self.state]
        # "once": a second click while it runs changes nothing.
        running = self.start.click(
            self._race, entrants, shown, trigger_mode="once", show_progress="minimal", show_progress_on=self.state,
            **PRIVATE, **RACE,
        )  # fmt: skip
        self.stop.click(lambda: status("Stopped."), None, self.state, cancels=running, queue=False, **PRIVATE)
        self.fetch.click(self._fetch, None, [self.state, self.fetch], **PRIVATE, **FETCH)

    def _whose(self, name: str, title: str) -> str:
        """The title of a network, with a word beside it if this project has not measured it."""
        return f"{title} (yours)" if name in self.own else title

    def _depths(self, dataset: str | None) -> list[int]:
        return sorted({card.network["depth"] for card in self.cards if card.dataset == dataset})

    def _switch(self, dataset: str) -> Updates:
        depths = self._depths(dataset)
        return {self.depths: gr.update(choices=depths, value=depths), **self._opened(dataset, depths)}

    def _opened(self, dataset: str | None, depths: list[int]) -> Updates:
        return {self.curves: self._curves(dataset, depths), self.solution: self._solution(dataset)}

    def _curves(self, dataset: str | None, depths: list[int]) -> str:
        cards = [card for card in self.cards if card.dataset == dataset and card.network["depth"] in depths]
        curves = [replace(card.training_curve, architecture=self._whose(card.name, card.spec.name)) for card in cards]
        figure = plots.curves_figure(curves, plots.PAGE_INK)
        return html.plot(plots.to_svg(figure, curves_in_words(cards)))

    def _solution(self, dataset: str | None) -> str:
        return solution(self.catalogue, dataset) + continued(self.catalogue, dataset)

    def _race(self, left: str, right: str, seconds: float) -> Iterator[Updates]:
        names = (left, right)
        if self._must_fetch():
            yield {self.state: html.alert(self._readiness())}
            return
        yield {self.state: status("Getting ready: initializing both networks and reading the images.")}
        text, done = "", 0
        try:
            # Closed when the visitor stops it or leaves, and with it the process.
            with closing(racing.run_race(names, seconds, self.data, self.device)) as race:
                for laps in race:
                    if len(laps) == done:
                        yield gr.skip()
                        continue
                    text, done = standing(names, laps[-1], seconds), len(laps)
                    yield {self.race: lanes(names, laps), self.state: status(text)}
        except InputError as error:
            yield {self.state: html.alert(str(error))}
            return
        yield {self.state: status(f"Finished. {text}")}

    def _must_fetch(self) -> bool:
        return self.data is None and not has_cifar10()

    def _can_fetch(self) -> bool:
        return self._must_fetch() and not self.offline

    def _readiness(self) -> str:
        if not self._must_fetch():
            return "Only one race runs at a time, alongside everybody's analyses; it ends by itself."
        if self.offline:
            return (
                "The images of CIFAR-10 are not on this machine, and it is offline: the recorded curves above show "
                "what full training runs give. (Start the page with --data to say where the images are.)"
            )
        return "The images of CIFAR-10 are not on this machine yet: fetch them once, or look at the recorded curves."

    def _fetch(self, progress: Any = PROGRESS) -> Updates:
        try:
            fetch_cifar10(download_progress("CIFAR-10", progress), self.offline)
        except InputError as error:
            return {self.state: html.alert(f"{error} The recorded curves above are available in any case.")}
        return {self.state: status("CIFAR-10 is here: start the race."), self.fetch: gr.update(visible=False)}


def status(text: str) -> str:
    """How the race stands, for a screen reader too."""
    return f'<p class="facts" role="status">{escape(text)}</p>'


def standing(names: Sequence[str], lap: Lap, seconds: float) -> str:
    """The last lap in numbers."""
    losses = ", ".join(f"{name} {loss:.2f}" for name, loss in zip(names, lap.losses, strict=True))
    return f"{lap.seconds:.0f} of {seconds:.0f} s, {lap.batches} batches each. Loss: {losses}."


def lanes(names: Sequence[str], laps: Sequence[Lap]) -> str:
    """The race so far."""
    figure = plots.race_figure(names, [(lap.batches, lap.losses) for lap in laps], plots.PAGE_INK)
    return html.plot(plots.to_svg(figure, f"Training loss of {' and '.join(names)} over {laps[-1].batches} batches"))


def curves_in_words(cards: Sequence[Card]) -> str:
    """The ends of the curves, for a screen reader."""
    ends = (f"{card.name}: {card.test_error:.2f} percent test error, {card.train_error:.2f} training" for card in cards)
    return "Error by epoch, plain networks on the left, residual ones on the right. At the end: " + "; ".join(ends)


def results_table(summaries: Sequence[Summary], sources: Sequence[Source], missing: Sequence[str]) -> str:
    """Final errors: this project's, the paper's, other people's; with what each is."""
    own = ("network", "test error %", "training error %", "runs", "recipe")
    rows = []
    for s in summaries:
        cells = [s.name, _spread(s.test_error, s.test_std), _spread(s.train_error, s.train_std), str(s.runs)]
        cells += [f"{s.recipe}, {s.epochs} epochs"]
        cells += [f"{s.references[x.name]:.2f}" if x.name in s.references else "" for x in sources]
        rows.append(cells)
    notes = " ".join(f"<b>{escape(source.name)}</b>: {escape(source.note)}" for source in sources)
    untrained = f" Not trained yet: {', '.join(map(escape, missing))}." if missing else ""
    return (
        html.table((*own, *(source.name for source in sources)), rows)
        + f'<p class="note">Errors are those of the last epoch, never of the best. {notes}{untrained}</p>'
    )


def _spread(mean: float, deviation: float | None) -> str:
    return f"{mean:.2f}" if deviation is None else f"{mean:.2f} ± {deviation:.2f}"
