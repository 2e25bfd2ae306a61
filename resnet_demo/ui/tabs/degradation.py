"""The Degradation tab: recorded training curves, final errors beside others', and a live race."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component

from resnet_demo.records import Source, Summary
from resnet_demo.ui import html
from resnet_demo.ui.address import Address
from resnet_demo.ui.bars import Bars
from resnet_demo.ui.chart import Chart
from resnet_demo.ui.components import LONGEST, Options
from resnet_demo.ui.language import later, sentence, speaking, t
from resnet_demo.ui.queues import DRAW, QUICK
from resnet_demo.ui.sentences import MISFIT, Sentence
from resnet_demo.ui.tabs.construction import continued, solution
from resnet_demo.ui.tabs.race import Race
from resnet_demo.ui.tabs.shape import shape_of_loss
from resnet_demo.ui.tabs.tab import Updates
from resnet_demo.ui.training_plots import curves_plot, ladder_plot
from resnet_demo.zoo import Catalogue, results, weight_state

# Hedged as the paper hedges it.
INTRO = later(
    "<p>A deeper network could copy a shallower one and leave its other layers as identities, so it should not do "
    "worse. Yet He et al. saw <i>plain</i> networks get worse with depth, <b>on the training images too</b>: not "
    "overfitting, but <i>degradation</i>. Shortcuts cured it. Below is what this project measured, with residual and "
    "plain networks trained by the same recipe. <b>Bold: test error.</b> Dashed: training error.</p>"
)
NOTHING = later("No trained network is here yet, so there are no curves and no results to show.")


class Depths(gr.CheckboxGroup):
    """Checkboxes whose handlers get every number that was sent, without Gradio's check against the list, which another
    data set may have changed by the time the check is made."""

    is_template = True

    def preprocess(self, payload: Any) -> Any:
        """The numbers among what was sent. Raises `Sentence` for what is not a short list."""
        if not isinstance(payload, list) or len(payload) > LONGEST:
            raise Sentence(MISFIT)
        return [item for item in payload if isinstance(item, int)]


class Degradation:
    """A `Tab`.

    data     CIFAR-10's images for the race; torchvision's copy on this machine if None
    device   that the race runs on
    """

    id, title = "degradation", later("Degradation")

    def __init__(self, catalogue: Catalogue, data: Path | None, device: str, offline: bool) -> None:
        self.catalogue = catalogue
        # Curves are of networks that were trained from scratch.
        self.cards = tuple(card for card in results.trained_cards(catalogue) if not card.start)
        self.continued, self.runs = results.continued(catalogue), results.all_cards(catalogue)
        self.reached = results.summarize(self.runs)
        self.shapes: dict[tuple[str, str], str] = {}
        self.titles: dict[str, str] = {}
        for card in self.cards:
            self.titles.setdefault(card.dataset, card.dataset_title)
        self.own = {entry.name for entry in catalogue.entries() if weight_state(entry).kind == "yours"}
        self.race = Race(data, device, offline)

    def build(self, current: gr.State, address: Address) -> None:
        gr.HTML(t(INTRO))
        self.notice = gr.HTML("", visible=False)
        names = [(title, dataset) for dataset, title in self.titles.items()]
        first = next(iter(self.titles), "")
        depths = self._depths(first)
        gr.HTML(html.note(t(NOTHING)), visible=not names)
        with gr.Row(visible=bool(names)):
            several = len(names) > 1
            self.dataset = Options(
                names, value=first or None, label=t("Data set"), scale=2, visible=several, elem_id="trained-on"
            )
            self.depths = Depths(depths, value=depths, label=t("Depths"), scale=3, elem_id="depths")
        self.address = address
        with gr.Row(elem_id="trained"):
            with gr.Column(scale=2, min_width=340):
                self.curves = Chart(elem_id="curves")
            with gr.Column(scale=1, min_width=320):
                self.ladder = Chart(elem_id="ladder")
        with gr.Row():
            with gr.Column(min_width=320):
                self.argument = gr.HTML("", elem_id="argument")
                self.solution = Bars(elem_id="solution")
            with gr.Column(min_width=320):
                self.kept = gr.HTML("", elem_id="continued")
        self.results = gr.HTML(self._results(first), elem_id="results")
        self.race.build()
        # At the end: what comes late must not move the rest.
        self.shape = gr.HTML("", elem_id="shape")
        self.asked: Sequence[Component] = [self.dataset, self.depths, self.notice]
        self._wire()

    def ask(self, query: Mapping[str, str]) -> Updates:
        """Query parameters: dataset, depths (with commas)."""
        dataset = query.get("dataset") or next(iter(self.titles), "")
        offered = {str(depth): depth for depth in self._depths(dataset)}
        wanted = [depth for depth in query["depths"].split(",") if depth] if "depths" in query else [*offered]
        if not self.titles:
            return {}
        if dataset not in self.titles:
            text = t("There is no such data set: use one of {names}.", names=", ".join(self.titles))
            return {self.notice: html.alert_update(text)}
        if not set(wanted) <= set(offered):
            text = t("There are no networks of those depths: use {names}.", names=", ".join(offered))
            return {self.notice: html.alert_update(text)}
        chosen = [depth for name, depth in offered.items() if name in wanted]
        return {self.dataset: dataset, self.depths: gr.update(choices=[*offered.values()], value=chosen)}

    def _view(self, dataset: str, depths: Collection[int]) -> dict[str, str]:
        """What is not as the tab opens."""
        view = {} if dataset == next(iter(self.titles)) else {"dataset": dataset}
        every = self._depths(dataset)
        chosen = {} if set(depths) >= set(every) else {"depths": ",".join(str(one) for one in every if one in depths)}
        return {"tab": self.id, **view, **chosen}

    def open(self, tab: gr.Tab) -> None:
        self.race.open(tab)
        tab.select(self._opened, [self.dataset, self.depths], self._followers(), **DRAW)
        # The rest does not wait for pictures that take a second each.
        gr.on([tab.select, self.dataset.input], self._shape, self.dataset, self.shape, **DRAW)

    def _followers(self) -> list[Any]:
        """What follows the data set."""
        made = [self.argument, self.solution, self.kept, self.results]
        return [self.curves, self.ladder, self.address, *made]

    def _wire(self) -> None:
        # "input", and not "change": a depth that goes along with the data set is drawn with it, once.
        self.dataset.input(self._switch, self.dataset, [self.depths, *self._followers()], **DRAW)
        gr.on([self.dataset.input, self.depths.input], html.alert_update, None, self.notice, **QUICK)
        self.depths.input(self._redraw, [self.dataset, self.depths], [self.curves, self.address], **DRAW)

    def _whose(self, name: str, title: str) -> str:
        """The title of a network, with a word beside it if this project has not measured it."""
        return t("{network} (yours)", network=title) if name in self.own else title

    def _depths(self, dataset: str) -> list[int]:
        return sorted({card.network["depth"] for card in self.cards if card.dataset == dataset})

    def _switch(self, dataset: str) -> Updates:
        if dataset not in self.titles:
            return gr.skip()
        depths = self._depths(dataset)
        return {self.depths: gr.update(choices=depths, value=depths), **self._opened(dataset, depths)}

    def _opened(self, dataset: str, depths: Collection[int]) -> Updates:
        if dataset not in self.titles:
            return gr.skip()
        text, bars = solution(self.catalogue, dataset)
        return {
            **self._redraw(dataset, depths),
            self.ladder: ladder_plot(results.ladder(self.runs, dataset), results.missing(self.catalogue, dataset)),
            self.argument: text,
            self.solution: bars,
            self.kept: continued(self.catalogue, dataset, self.continued),
            self.results: self._results(dataset),
        }

    def _redraw(self, dataset: str, depths: Collection[int]) -> Updates:
        if dataset not in self.titles:
            return gr.skip()
        cards = [card for card in self.cards if card.dataset == dataset and card.network["depth"] in depths]
        curves = [replace(card.training_curve, architecture=self._whose(card.name, card.spec.name)) for card in cards]
        plot = curves_plot(curves)
        return {self.curves: plot, self.address: self._view(dataset, depths) | {"says": sentence(plot.alt)}}

    def _shape(self, dataset: str) -> Any:
        """Drawn once for each language: other pictures would need other weights."""
        if dataset not in self.titles:
            return gr.skip()
        key = speaking(), dataset
        if key not in self.shapes:
            self.shapes[key] = shape_of_loss(self.catalogue, dataset)
        return self.shapes[key]

    def _results(self, dataset: str) -> str:
        if dataset not in self.titles:
            return ""
        reached = [summary for summary in self.reached if summary.dataset == dataset]
        marked = [replace(summary, name=self._whose(summary.name, summary.name)) for summary in reached]
        # All that others have measured is of CIFAR-10.
        sources = results.SOURCES if dataset == "cifar10" else ()
        return results_table(self.titles[dataset], marked, sources, results.missing(self.catalogue, dataset))


def results_table(title: str, summaries: Sequence[Summary], sources: Sequence[Source], missing: Sequence[str]) -> str:
    """Final errors on the data set of that title: this project's, the paper's, other people's; with what each is."""
    own = [t("network"), t("test error %"), t("training error %"), t("runs"), t("recipe")]
    rows = []
    for s in summaries:
        cells = [s.name, *s.told(), str(s.runs), t("{recipe}, {count} epochs", recipe=s.recipe, count=s.epochs)]
        cells += [f"{s.references[x.name]:.2f}" if x.name in s.references else "" for x in sources]
        rows.append(cells)
    table = html.table((*own, *(source.title for source in sources)), rows, [s.name for s in summaries])
    notes = [t("Our errors are those of the last epoch, never of the best.")]
    notes += [t("Others' test errors:"), *map(_cited, sources)] if sources else []
    notes += [t("Not trained yet: {names}.", names=", ".join(map(escape, missing)))] if missing else []
    heading = t("Final errors on {dataset}", dataset=escape(title))
    return f'<h3>{heading}</h3>{table}<p class="note">{" ".join(notes)}</p>'


def _cited(source: Source) -> str:
    # Gradio would pad it, which parts it from its colon.
    bare = 'target="_blank" rel="noopener" style="padding: 0"'
    link = f'<a href="{escape(source.link)}" {bare}>{escape(source.title)}</a>'
    return f"{link}: {escape(t(source.note))}"
