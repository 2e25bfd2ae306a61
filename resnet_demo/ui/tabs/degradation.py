"""The Degradation tab: recorded training curves, final errors beside others', and a live race. Wiring only."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import gradio as gr

from resnet_demo import plots
from resnet_demo.errors import InputError
from resnet_demo.records import Lap
from resnet_demo.training import fetch_cifar10, has_cifar10
from resnet_demo.training import race_process as racing
from resnet_demo.ui import fragments
from resnet_demo.ui.components import Choice
from resnet_demo.ui.queues import DRAW, FETCH, PRIVATE, QUEUE, RACE
from resnet_demo.zoo import Card, Catalogue, progress_text, results

PROGRESS = gr.Progress()


class Degradation:
    """Builds the tab inside the current `gr.Blocks`.

    data     CIFAR-10's images for the race; torchvision's copy on this machine if None
    device   that the race runs on
    """

    def __init__(self, catalogue: Catalogue, data: Path | None, device: str, offline: bool) -> None:
        self.data, self.device, self.offline = data, device, offline
        self.catalogue, self.cards = catalogue, results.trained_cards(catalogue)
        gr.HTML(fragments.degradation_intro())
        self._build_curves()
        self._build_race()
        self._wire()

    def on_open(self, tab: gr.Tab) -> None:
        """Nothing is drawn for those who do not look."""
        tab.select(self._curves, [self.dataset, self.depths], self.curves, **DRAW)

    def on_load(self, page: gr.Blocks) -> Any:
        """Whether there are images to race on can change while the page is served."""
        return page.load(self._ready, None, [self.state, self.fetch], queue=False, show_progress="hidden", **PRIVATE)

    def _ready(self) -> list[Any]:
        missing = self._must_fetch() and not self.offline
        return [fragments.race_state(self._readiness()), gr.update(visible=missing)]

    def _build_curves(self) -> None:
        titles = {card.dataset: card.dataset_title for card in reversed(self.cards)}  # The first card's.
        datasets = list(dict.fromkeys(card.dataset for card in self.cards))
        names = [(titles[dataset], dataset) for dataset in datasets]
        first = datasets[0] if datasets else None
        depths = self._depths(first)
        with gr.Row():
            self.dataset = gr.Radio(names, value=first, label="Data set", scale=1, visible=len(names) > 1)
            self.depths = gr.CheckboxGroup(depths, value=depths, label="Depths", scale=3, elem_id="depths")
        self.curves = gr.HTML("", elem_id="curves")
        reached, missing = results.all_results(self.catalogue), results.missing(self.catalogue)
        gr.HTML(fragments.results_table(reached, results.SOURCES, missing), elem_id="results")

    def _build_race(self) -> None:
        gr.HTML(fragments.race_intro())
        with gr.Row(equal_height=True):
            self.left = Choice(list(racing.RACERS), value="resnet56", label="One", scale=2, min_width=140)
            self.right = Choice(list(racing.RACERS), value="plain56", label="The other", scale=2, min_width=140)
            bounds = (racing.SHORTEST, racing.LONGEST)
            self.seconds = gr.Slider(*bounds, 30, step=5, label="Seconds", scale=3, min_width=200, elem_id="seconds")
            self.start = gr.Button("Start the race", variant="primary", scale=1, min_width=130)
            self.stop = gr.Button("Stop", scale=1, min_width=80)
        self.state = gr.HTML(fragments.race_state(self._readiness()), elem_id="race-state")
        self.fetch = gr.Button("Fetch CIFAR-10 (170 MB)", visible=self._must_fetch() and not self.offline, size="sm")
        self.race = gr.HTML("", elem_id="race")

    def _wire(self) -> None:
        chosen = [self.dataset, self.depths]
        quick: dict[str, Any] = {"show_progress": "hidden", "trigger_mode": "always_last", **PRIVATE, **QUEUE}
        self.dataset.change(self._switch, self.dataset, [self.depths, self.curves], **quick)
        self.depths.change(self._curves, chosen, self.curves, **quick)
        entrants = [self.left, self.right, self.seconds]
        shown = [self.race, self.state]
        # "once": a second click while it runs changes nothing.
        running = self.start.click(
            self._race, entrants, shown, trigger_mode="once", show_progress="minimal", show_progress_on=self.state,
            **PRIVATE, **RACE,
        )  # fmt: skip
        self.stop.click(
            lambda: fragments.race_state("Stopped."), None, self.state, cancels=running, queue=False, **PRIVATE
        )
        self.fetch.click(self._fetch, None, [self.state, self.fetch], **PRIVATE, **FETCH)

    def _depths(self, dataset: str | None) -> list[int]:
        return sorted({card.network["depth"] for card in self.cards if card.dataset == dataset})

    def _switch(self, dataset: str) -> list[Any]:
        depths = self._depths(dataset)
        return [gr.update(choices=depths, value=depths), self._curves(dataset, depths)]

    def _curves(self, dataset: str, depths: list[int]) -> str:
        cards = [card for card in self.cards if card.dataset == dataset and card.network["depth"] in depths]
        figure = plots.curves_figure([card.training_curve for card in cards], plots.PAGE_INK)
        return fragments.plot(plots.to_svg(figure, _curves_in_words(cards)))

    def _race(self, left: str, right: str, seconds: float) -> Iterator[list[Any]]:
        names = (left, right)
        if self._must_fetch():
            yield [gr.skip(), fragments.message(self._readiness())]
            return
        yield [gr.skip(), fragments.race_state("Getting ready: both networks are drawn, the images are read.")]
        laps: tuple[Lap, ...] = ()
        try:
            # Closed when the visitor stops it or leaves, and with it the process.
            with closing(racing.run_race(names, seconds, self.data, self.device)) as race:
                for now in race:
                    if len(now) == len(laps):
                        yield [gr.skip(), gr.skip()]
                        continue
                    laps = now
                    yield [self._lanes(names, laps), fragments.race_state(_standing(names, laps[-1], seconds))]
        except InputError as error:
            yield [gr.skip(), fragments.message(str(error))]
            return
        yield [gr.skip(), fragments.race_state("Over. " + _standing(names, laps[-1], seconds))]

    def _lanes(self, names: tuple[str, str], laps: tuple[Lap, ...]) -> str:
        figure = plots.race_figure(names, [(lap.batches, lap.losses) for lap in laps], plots.PAGE_INK)
        label = f"Training loss of {names[0]} and {names[1]} over {laps[-1].batches} batches"
        return fragments.plot(plots.to_svg(figure, label))

    def _must_fetch(self) -> bool:
        return self.data is None and not has_cifar10()

    def _readiness(self) -> str:
        if not self._must_fetch():
            return "One race runs at a time, beside everybody's analyses; it ends by itself."
        if self.offline:
            return (
                "The images of CIFAR-10 are not on this machine, and it is offline: the recorded curves above show "
                "what a whole training gives. (Start the page with --data to name the images.)"
            )
        return "The images of CIFAR-10 are not on this machine yet: fetch them once, or look at the recorded curves."

    def _fetch(self, progress: Any = PROGRESS) -> list[Any]:
        def fetching(done: int, total: int) -> None:
            progress(done / max(total, 1), desc=progress_text("CIFAR-10", done, total))

        try:
            fetch_cifar10(fetching, self.offline)
        except InputError as error:
            return [fragments.message(f"{error} The recorded curves above are here in any case."), gr.skip()]
        return [fragments.race_state("CIFAR-10 is here: start the race."), gr.update(visible=False)]


def _standing(names: tuple[str, str], lap: Lap, seconds: float) -> str:
    losses = ", ".join(f"{name} {loss:.2f}" for name, loss in zip(names, lap.losses, strict=True))
    return f"{lap.seconds:.0f} of {seconds:.0f} s, {lap.batches} batches each. Loss: {losses}."


def _curves_in_words(cards: list[Card]) -> str:
    ends = (f"{card.name}: {card.test_error:.2f} percent test error, {card.train_error:.2f} training" for card in cards)
    return "Error by epoch, plain networks left, residual ones right. At the end: " + "; ".join(ends)
