"""What the Degradation tab says of the results, and its race."""

from dataclasses import replace

import gradio as gr
import pytest

from resnet_demo import plots
from resnet_demo.laboratory.studies import folder_of, write_study
from resnet_demo.networks import parse_name
from resnet_demo.plots import INK
from resnet_demo.records import Landscape, Lap, Summary
from resnet_demo.training import race_process as racing
from resnet_demo.ui.address import Address
from resnet_demo.ui.language import speak
from resnet_demo.ui.tabs.construction import continued, solution
from resnet_demo.ui.tabs.degradation import Degradation
from resnet_demo.ui.tabs.race import AGAIN, GETTING_READY, WAITING, Ticket, status
from resnet_demo.ui.tabs.shape import shape_of_loss
from resnet_demo.ui.training_plots import ladder_plot
from resnet_demo.zoo import Catalogue, ModelCache, open_catalogue, results
from resnet_demo.zoo.paths import CONTINUED
from resnet_demo.zoo.results import trained_cards
from tests.cards import put_weights
from tests.ui.tabs import built


def test_the_solution_is_shown_with_the_errors_of_the_cards_and_told_as_it_is(tmp_path):
    catalogue = ModelCache("cpu").catalogue
    text, bars = solution(catalogue, "cifar10")
    shown = {bar.label: bar for bar in bars.bars}
    for name, label in (
        ("plain20", "plain-20 trained"),
        ("plain56", "plain-56 trained"),
        ("resnet56", "plain-56 folded from ResNet-56"),
    ):
        assert shown[label].text == f"{catalogue.find(f'{name}.cifar10').test_error:.2f} %"
        assert shown[label].kind == "plain"
        assert shown[label].hollow == ("trained" not in label)
    assert "training does not find it" in text
    assert "training does not find it" in solution(catalogue, "cifar100")[0]
    assert solution(Catalogue(()), "") == ("", None)
    put_weights(tmp_path, "plain8.mine")
    own = Catalogue((tmp_path,))
    assert solution(own, "mine") == ("", None)  # Nothing can be made of it.
    card = put_weights(tmp_path, "resnet8.mine")
    replace(card, test_error=95.0).write(tmp_path / "resnet8.mine.json")
    text, _ = solution(own, "mine")
    assert "one with 95.00 % test error is ResNet-8 with its shortcuts folded away" in text
    assert "Training finds it" in text


def told(catalogue, dataset):
    return continued(catalogue, dataset, results.continued(catalogue))


def test_what_training_makes_of_a_construction_is_read_from_the_cards(tmp_path):
    catalogue = ModelCache("cpu").catalogue
    text, card = told(catalogue, "cifar10"), results.continued(catalogue)[0]
    assert f"{catalogue.find(card.start).test_error:.2f} → {card.test_error:.2f}" in text
    assert "plain56.cifar10 from plain20.cifar10" in text
    assert "10 epochs at a learning rate of 0.01" in text
    assert f"to {card.test_error:.2f} % test error" in text
    assert told(catalogue, "cifar100") == ""
    # A run whose start is not here has no errors from before.
    put_weights(tmp_path, "plain8.mine")
    folder = tmp_path / CONTINUED
    folder.mkdir()
    replace(card, dataset="mine").write(folder / "plain56.mine.json")
    assert told(Catalogue((tmp_path,)), "mine") == ""
    own = replace(card, dataset="mine", start="plain8.mine", test_error=43.21)
    own.write(folder / "plain56.mine.json")
    assert "→ 43.21" in told(Catalogue((tmp_path,)), "mine")
    for recipe in ({}, {"learning_rate": "<b>high</b>"}, {"learning_rate": 10**400}):
        replace(own, recipe=recipe).write(folder / "plain56.mine.json")
        assert "10 epochs at an unknown learning rate" in told(Catalogue((tmp_path,)), "mine")


@pytest.fixture
def degradation():
    tab = Degradation(ModelCache("cpu").catalogue, None, "cpu", offline=True)
    with gr.Blocks():
        tab.build(gr.State(None), Address())
    return tab


def test_what_follows_the_data_set_is_of_that_data_set_alone(degradation):
    tab = degradation
    updates = tab._switch("cifar100")
    assert updates[tab.depths]["value"] == [20, 56]
    assert all(len(panel.lines) == 4 for panel in updates[tab.curves].panels)
    assert "cifar10." not in updates[tab.results] + " ".join(bar.label for bar in updates[tab.solution].bars)
    assert "He et al." not in updates[tab.results]
    assert "He et al. 2016" in tab._switch("cifar10")[tab.results]


def test_a_data_set_or_a_depth_that_does_not_exist_changes_nothing(degradation):
    tab = degradation
    assert tab._switch("odd") == tab._opened("odd", []) == tab._redraw("odd", [20]) == gr.skip()
    updates = tab._redraw("cifar10", [999])
    assert [panel.lines for panel in updates[tab.curves].panels] == [(), ()]
    assert tab.depths.preprocess([20, "x", None, [56], 56]) == [20, 56]
    for sent in (None, "20", {"a": 1}, list(range(1000))):
        with pytest.raises(gr.Error):
            tab.depths.preprocess(sent)


def summary(name, error, runs=1, std=None, **changes):
    values = {"dataset": "cifar10", "recipe": "fast", "epochs": 40, "references": {}, **changes}
    architecture = name.partition(".")[0]
    depth = parse_name(architecture).depth
    return Summary(
        name=name, architecture=architecture, depth=depth, runs=runs, test_error=error, test_std=std,
        train_error=error / 2, train_std=std, **values,
    )  # fmt: skip


def test_the_last_point_of_a_curve_is_the_error_that_the_table_has():
    for card in trained_cards(open_catalogue()):
        curve = card.training_curve
        assert curve.epochs[-1].test_error == curve.test_error == card.test_error
        assert curve.epochs[:-1] == tuple(card.curve[:-1])


def test_data_set_and_depths_are_in_the_address_and_come_back_from_it():
    tab = built(Degradation(open_catalogue(), None, "cpu", offline=True))
    for dataset, depths in (("cifar10", [20, 56]), ("cifar100", [56]), ("fashion_mnist", []), ("cifar100", [20, 56])):
        view = tab._redraw(dataset, depths)[tab.address]
        query = {key: text for key, text in view.items() if key != "says"}
        asked = tab.ask(query)
        assert (asked[tab.dataset], asked[tab.depths]["value"]) == (dataset, depths)
    assert tab._redraw("cifar10", [20, 56])[tab.address] | {"says": ""} == {"tab": "degradation", "says": ""}
    for query in ({"dataset": "nothing"}, {"depths": "21"}, {"depths": "x"}, {"dataset": "cifar100", "depths": "44"}):
        assert list(tab.ask(query)) == [tab.notice]


def test_the_ladder_shows_final_errors_by_depth_with_their_deviation_and_names_what_is_missing():
    ladder = [
        summary("plain56.cifar10", 15.0),
        summary("plain20.cifar10", 10.0, 3, 0.5),
        summary("resnet20.cifar10", 9),
    ]
    plot = ladder_plot(ladder, ["resnet110.cifar10"])
    (panel,) = plot.panels
    named = [line for line in panel.lines if line.mark]
    assert [(line.kind, [(p.x, p.y) for p in line.points]) for line in named] == [
        ("plain", [(20, 10.0), (56, 15.0)]), ("plain", [(20, 5.0), (56, 7.5)]),
        ("residual", [(20, 9)]), ("residual", [(20, 4.5)]),
    ]  # fmt: skip
    deviations = [[(p.x, p.y) for p in line.points] for line in panel.lines if not line.mark]
    assert deviations == [[(20, 9.5), (20, 10.5)], [(20, 4.5), (20, 5.5)]]
    assert "3 seeds" in named[0].points[0].says
    assert plot.notes[0].endswith("standard deviation up and down. Not trained yet: resnet110.cifar10.")
    assert ladder_plot([], []).alt == "No curves"


def test_the_ladder_is_one_experiment():
    """All by one recipe in every detail, from scratch, and of one data set."""
    cards = {card.name: card for card in results.trained_cards(ModelCache("cpu").catalogue)}
    ours = [cards[f"{name}.cifar10"] for name in ("resnet20", "plain20", "resnet56", "plain56")]
    seed = replace(ours[1], seed=1, sha256="of another run", test_error=ours[1].test_error + 1)
    slower = replace(ours[1], seed=2, recipe=ours[1].recipe | {"learning_rate": 0.01}, test_error=30.0)
    later = replace(ours[3], start="plain20.cifar10", test_error=11.0)
    option = replace(ours[0], name="resnet20-B.cifar10", network=ours[0].network | {"shortcut": "B"})
    ladder = results.ladder([*cards.values(), seed, slower, later, option], "cifar10")
    assert [summary.name for summary in ladder] == [card.name for card in ours]
    assert [summary.runs for summary in ladder] == [1, 2, 1, 1]
    assert ladder[1].test_error == pytest.approx(ours[1].test_error + 0.5)
    assert ladder[3].test_error == ours[3].test_error
    assert results.ladder([], "cifar10") == ()


def landscape(catalogue, name, wall=0.0, images=10):
    """A bowl; with a `wall` on the way to the right."""
    loss = [[1.0 + a * a + b * b + (wall if (a, b) == (0, 1) else 0) for b in range(-2, 3)] for a in range(-2, 3)]
    errors = [[90.0] * 5, [90.0, 50.0, 50.0, 50.0, 90.0], [90.0, 50.0, 10.0, 51.0, 90.0], [90.0] * 5, [90.0] * 5]
    return Landscape(name, catalogue.find(name).weights_hash, images, 0, 1.0, 5, loss, errors)


def test_the_shape_of_the_loss_is_drawn_for_twins_and_told_as_it_is(tmp_path):
    for name in ("resnet8.mine", "plain8.mine"):
        put_weights(tmp_path, name)
    catalogue = Catalogue((tmp_path,))
    folder = folder_of(Landscape, tmp_path)
    assert shape_of_loss(catalogue, "mine") == ""
    write_study(landscape(catalogue, "plain8.mine", wall=9), folder)
    assert shape_of_loss(catalogue, "mine") == ""  # One alone is beside nothing.
    write_study(landscape(catalogue, "resnet8.mine"), folder)
    text = shape_of_loss(catalogue, "mine")
    assert text.count("<svg") == 2
    assert text.index("resnet8.mine") < text.index("plain8.mine")
    assert INK not in text
    assert "Loss around plain8.mine: 1 in the middle, with 10.0 % error, at most 11" in text
    right = "at least half of the images are right on 20 % of the square; on eight straight lines from the middle, "
    assert f"resnet8.mine: {right}the loss falls in 0 of 16 steps." in text
    assert f"plain8.mine: {right}the loss falls in 1 of 16 steps." in text
    assert "is rougher here" in text
    write_study(landscape(catalogue, "plain8.mine"), folder)
    assert "is not rougher here" in shape_of_loss(catalogue, "mine")
    # Of other images, or not complete: not beside each other.
    write_study(landscape(catalogue, "plain8.mine", images=11), folder)
    assert shape_of_loss(catalogue, "mine") == ""
    half = landscape(catalogue, "plain8.mine")
    write_study(replace(half, loss=half.loss[:2], error=half.error[:2]), folder)
    assert shape_of_loss(catalogue, "mine") == ""


def test_a_network_by_construction_stands_beside_the_twins_on_their_scale(tmp_path):
    for name in ("plain8.mine", "resnet14.mine", "plain14.mine"):
        put_weights(tmp_path, name)
    catalogue = Catalogue((tmp_path,))
    for name, wall in (("resnet14.mine", 0), ("plain14.mine", 9), ("plain14-grown.mine", 90)):
        write_study(landscape(catalogue, name, wall=wall), folder_of(Landscape, tmp_path))
    text = shape_of_loss(catalogue, "mine")
    assert text.count("<svg") == 3
    assert "Around plain14-grown.mine the loss rises to 92: what is above 11 is drawn as that." in text


def test_the_shape_of_the_loss_is_drawn_once_for_each_language(tmp_path, monkeypatch):
    for name in ("resnet8.mine", "plain8.mine"):
        put_weights(tmp_path, name)
    catalogue = Catalogue((tmp_path,))
    for name in ("resnet8.mine", "plain8.mine"):
        write_study(landscape(catalogue, name), folder_of(Landscape, tmp_path))
    tab, drawn = Degradation(catalogue, None, "cpu", offline=True), []
    draw = plots.landscape_figure
    monkeypatch.setattr(plots, "landscape_figure", lambda *args: (drawn.append(args), draw(*args))[1])
    with gr.Blocks():
        tab.build(gr.State(None), Address())
    told = []
    for language in ("en", "ko", "ko", "ja", "en"):
        with speak(language):
            told.append(tab._shape("mine"))
    assert "The shape of the loss" in told[0] == told[4]
    assert "손실의 모양" in told[1] == told[2]
    assert len(set(told)) == 3
    assert len(drawn) == 6
    assert tab._shape("../mine") == gr.skip()


def test_an_impossible_race_is_one_sentence(degradation, tmp_path):
    race = degradation.race
    race.data = tmp_path
    for names, seconds in ((("resnet20", "plain20"), float("nan")), (("resnet20", "../x"), 30)):
        *_, last = race._race(Ticket(names, seconds))
        assert 'role="alert"' in last[race.state]
    race.data = tmp_path / "gone"
    only = race._entered(None, "resnet20", "plain20", 30)
    assert "No race here" in only[race.state]
    assert race.ticket not in only
    assert race._ready()[race.start]["interactive"] is False


def test_without_images_it_is_said_at_once_and_a_visitor_who_comes_after_them_can_start(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.delenv("RESNET_DEMO_CIFAR10", raising=False)
    race = built(Degradation(open_catalogue(), None, "cpu", offline=True)).race
    first = race._opened(False, None)
    assert "No race here: the images of CIFAR-10 are not on this machine, and it is offline" in first[race.state]
    assert "--data" not in first[race.state]
    assert [first[race.start]["interactive"], first[race.fetch]["visible"], first[race.told]] == [False, False, True]
    assert race.start.interactive is False
    images = tmp_path / "datasets" / "cifar-10-batches-py"
    images.mkdir(parents=True)
    for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch", "batches.meta"):
        (images / name).touch()
    ticket = Ticket(("resnet20", "plain20"), 5)
    assert race._opened(True, None) == race._opened(False, ticket) == gr.skip()
    assert race._opened(False, None)[race.start]["interactive"] is True


def test_a_ticket_is_good_for_one_race(degradation, monkeypatch):
    race, begun = degradation.race, []
    lap = Lap(1, 1.0, (2.0, 2.1), (90.0, 91.0))

    def run_race(names, seconds, *others):
        begun.append((*names, seconds))
        yield from ((), (lap,), (lap, lap))

    def entered(ticket, *names):
        return race._entered(ticket, *(names or ("resnet20", "plain20")), 5)

    monkeypatch.setattr(race, "_has_images", lambda: True)
    monkeypatch.setattr(racing, "run_race", run_race)
    first = entered(None)
    ticket = first[race.ticket]
    assert first[race.state] == status(GETTING_READY)
    # A second click changes nothing, before it runs and while it does, however long. If nothing came of it, it counts.
    assert entered(ticket) == gr.skip()
    ticket.asked -= AGAIN
    assert entered(ticket)[race.ticket] is not ticket
    running = race._race(ticket)
    assert [next(running), next(running)] == [gr.skip(), gr.skip()]
    assert entered(ticket) == gr.skip()
    assert list(race._race(ticket)) == [gr.skip()]
    # Another visitor is told that they wait, and when that has an end.
    waiting = entered(None)
    assert waiting[race.state] == status(WAITING)
    assert next(race._race(waiting[race.ticket])) == {race.state: status(GETTING_READY)}
    # Stopped, it ends with the next step, and the visitor can start another one at once: of what is picked now.
    race.running = ticket
    race._stopped(ticket, status(GETTING_READY))
    again = entered(ticket, "resnet56", "plain56")
    assert again[race.state] == status(GETTING_READY)
    assert list(running) == []
    *_, last = race._race(again[race.ticket])
    assert last[race.state] == status("Finished. 1 of 5 s, batches of each: 1. Loss: resnet56 2.00, plain56 2.10.")
    assert entered(again[race.ticket])[race.ticket] is not again[race.ticket]
    assert begun[-1] == ("resnet56", "plain56", 5)
    # Stopped while it waits, it never begins.
    waiting = entered(None)[race.ticket]
    race._stopped(waiting, status(WAITING))
    count = len(begun)
    assert list(race._race(waiting)) == list(race._race(None)) == [gr.skip()]
    assert len(begun) == count
    # A visitor who leaves ends theirs.
    left = entered(None)[race.ticket]
    running = race._race(left)
    next(running)
    assert race.running is left
    running.close()
    assert (race.running, left.over) == (None, True)


def test_stop_leaves_how_the_race_stood_and_nothing_untrue(degradation):
    race = degradation.race
    assert set(race._stopped(None, status("3 of 120 s"))) == {race.ended}
    assert race._stopped(None, status(GETTING_READY))[race.state] == ""
    assert race._stopped(None, status(WAITING))[race.state] == ""
