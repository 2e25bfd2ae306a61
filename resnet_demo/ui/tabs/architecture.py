"""The Architecture tab: a network drawn beside its twin and tabulated, shortcut options, and ResNeXt's three forms."""

import re
from collections.abc import Mapping

import gradio as gr
from gradio.components import Component

from resnet_demo.errors import InputError
from resnet_demo.networks import NetworkSpec, parse_name
from resnet_demo.networks.architecture import CARDINALITIES, SHORTCUT_ERRORS, describe
from resnet_demo.networks.resnext_forms import largest_differences
from resnet_demo.records import Table
from resnet_demo.ui import choices, html
from resnet_demo.ui.address import Address
from resnet_demo.ui.budgets import drawable
from resnet_demo.ui.components import LONGEST, Choice
from resnet_demo.ui.language import later, sentence, t
from resnet_demo.ui.network import Network, NetworkView
from resnet_demo.ui.queues import DRAW
from resnet_demo.ui.tabs.tab import Current, Updates
from resnet_demo.ui.turns import Turn, ask_in_turn
from resnet_demo.zoo import Catalogue

DEFAULT = "resnet34"
INTRO = later(
    "<p>Every network of this page, drawn beside its twin with or without shortcuts, as in the paper's figure 3: each "
    "box is a block, each arc its shortcut, solid for the identity, dotted for zero padding, dashed for a projection; "
    "/2 is a stride of 2. Point at a block to see what is inside. All numbers are counted on the networks that run "
    "here.</p>"
)
RESNEXT_INTRO = later(
    "<h3>Three forms of one ResNeXt block</h3><p>Summing 32 separate paths, concatenating them before one convolution, "
    "and one grouped convolution are the same function (Xie et al. 2017, figure 3). Here they are computed from the "
    "same weights.</p>"
)


class Architecture:
    """A `Tab`; the address names the network as ?tab=architecture&model=resnet152."""

    id, title = "architecture", later("Architecture")

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue

    def build(self, current: gr.State, address: Address) -> None:
        self.address = address
        self.current, self.followed = current, gr.State("")
        offered = {entry.spec.name for entry in choices.available(self.catalogue)}
        names = sorted(offered, key=lambda name: (parse_name(name).depth, name))
        gr.HTML(t(INTRO))
        self.name = Choice(
            names,
            value=DEFAULT,
            label=t("Network (choose one, or type any other)"),
            allow_custom_value=True,
            elem_id="architecture",
        )
        self.asked = [self.name]
        self.message = gr.HTML("", visible=False)
        self.drawing = Network(elem_id="architecture-drawing")
        self.table = gr.HTML("", elem_id="architecture-table")
        with gr.Row():
            with gr.Column(min_width=340):
                self.options = gr.HTML("", elem_id="shortcut-options")
            with gr.Column(min_width=340):
                self.groups = gr.HTML("", elem_id="cardinalities")
        gr.HTML(t(RESNEXT_INTRO))
        self.forms = gr.HTML("", elem_id="resnext-forms")
        self.compute = gr.Button(t("Compute the three forms"), size="sm")
        # In common with opening the tab: a network that is picked before that is answered stays.
        self.turn = gr.State(Turn())
        asked = [self.current, self.followed, self.name]
        ask_in_turn([self.name.change], self._picked, asked, [self.followed, *self._shown()], self.turn, **DRAW)
        self.compute.click(lambda: forms_table(largest_differences()), None, self.forms, **DRAW)

    def open(self, tab: gr.Tab) -> None:
        asked, shown = [self.current, self.followed, self.name], [self.name, self.followed, *self._shown()]
        ask_in_turn([tab.select], self._opened, asked, shown, self.turn, **DRAW)
        tab.select(lambda: (shortcut_options(), cardinalities()), None, [self.options, self.groups], **DRAW)

    def _shown(self) -> list[Component]:
        return [self.message, self.drawing, self.table, self.address]

    def ask(self, query: Mapping[str, str]) -> Updates:
        """Query parameter: model, a catalogue name or an architecture."""
        if not query.get("model"):
            return {}
        name = query["model"][:LONGEST]
        known = choices.exists(self.catalogue, name)
        # An unknown name is shown too, with what is wrong with it in place of a drawing.
        return {self.name: self.catalogue.find(name).spec.name if known else name}

    def _opened(self, current: Current | None, followed: str, name: str) -> Updates:
        """The network of the tab that was open before, once: what is picked here since stays."""
        if current and current.seen and current.model != followed:
            name, followed = self.catalogue.find(current.model).spec.name, current.model
        return {self.name: name, self.followed: followed, **self._show(name)}

    def _picked(self, current: Current | None, followed: str, name: str) -> Updates:
        return {self.followed: current.model if current and current.seen else followed, **self._show(name)}

    def _show(self, name: str) -> Updates:
        try:
            spec = drawable(name)
        except InputError as error:
            return {self.message: html.alert_update(error.message), self.drawing: None, self.table: ""}
        other = twin(name)
        return {
            self.message: html.alert_update(),
            self.drawing: NetworkView((spec, other) if other else (spec,), spec.name),
            self.table: network_table(describe(spec)),
            self.address: {"tab": self.id, "model": name, "says": _said(describe(spec), other)},
        }


def twin(name: str) -> NetworkSpec | None:
    """The same layers without shortcuts, or with those that the family has by default: plain34 for resnet34 and for
    resnet34-C, resnet34 for plain34. None if there is no such network, or it is of another kind."""
    prefix = re.match("(resnet|plain)(?=[0-9])", name)
    if not prefix:
        return None
    other = {"resnet": "plain", "plain": "resnet"}[prefix[0]]
    try:
        return drawable(other + re.sub("-[ABC](?=-|$)", "", name[prefix.end() :]))
    except InputError:
        return None


def _said(table: Table, other: NetworkSpec | None) -> str:
    names = ", ".join([table.network, *([other.name] if other else [])])
    parameters = t("{count:,} parameters", count=table.parameters)
    operations = t("{count} multiply-adds", count=html.with_prefix(table.multiply_adds))
    return sentence(f"{names}: {parameters}{t(', ')}{operations}")


def network_table(table: Table) -> str:
    """The paper's table 1 for one network."""
    columns = (t("stage"), t("output"), t("layers"), t("parameters"), t("multiply-adds"))
    rows = []
    for row in table.rows:
        layers = " → ".join(row.layers) if row.blocks == 1 else f"{row.blocks} x [{' → '.join(row.layers)}]"
        counts = (f"{row.parameters:,}", f"{row.multiply_adds:,}")
        rows.append((row.stage, " x ".join(map(str, row.size)), layers, *counts))
    total = (f"{table.parameters:,}", f"{table.multiply_adds:,}")
    return html.table(columns, [*rows, (t("total"), "", table.network, *total)])


def shortcut_options() -> str:
    """ResNet-34 with each option, counted, beside the errors that the paper measured."""
    rows = []
    for option, error in SHORTCUT_ERRORS.items():
        table = describe(f"resnet34-{option}")
        rows.append((option, f"{table.parameters:,}", html.with_prefix(table.multiply_adds), f"{error:.2f}"))
    columns = (t("ResNet-34 with option"), t("parameters"), t("multiply-adds"), t("top-1 error %, paper"))
    return f"<h3>{t('Shortcut options')}</h3>" + html.table(columns, rows)


def cardinalities() -> str:
    """Cardinality against width at about equal cost (Xie et al. 2017, table 2), counted."""
    rows = []
    for cardinality, width in CARDINALITIES:
        table = describe("resnet50" if cardinality == 1 else f"resnext50_{cardinality}x{width}d")
        counts = (f"{table.parameters / 1e6:.1f} M", html.with_prefix(table.multiply_adds))
        rows.append((f"{cardinality} x {width}d", *counts))
    columns = (t("ResNeXt-50, groups x width"), t("parameters"), t("multiply-adds"))
    return f"<h3>{t('Cardinality')}</h3>" + html.table(columns, rows)


def forms_table(differences: Mapping[str, float]) -> str:
    """How far each form is from the grouped one."""
    rows = [(name, f"{difference:.1e}") for name, difference in differences.items()]
    difference = t("largest difference from the grouped form, in standard deviations of its output")
    return html.table((t("form"), difference), rows)
