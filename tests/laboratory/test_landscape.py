"""The plane through the weights against direct computations, and its kept studies."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from resnet_demo import create_network, load_model
from resnet_demo.errors import InputError
from resnet_demo.laboratory.landscape import LARGEST_LOSS, landscape_rows, random_directions
from resnet_demo.laboratory.studies import find_study
from resnet_demo.records import Landscape
from resnet_demo.zoo import find_entry, open_catalogue

AXIS = [-1.0, 0.0, 1.0]


def batch(images=10, size=32):
    draw = torch.Generator().manual_seed(1)
    return torch.randn(images, 3, size, size, generator=draw), torch.randint(0, 10, (images,), generator=draw)


def test_each_filter_of_a_direction_has_the_norm_of_the_networks_own():
    network = load_model("resnet20.cifar10").network
    for direction in random_directions(network, seed=3):
        for (name, weight), moved in zip(network.named_parameters(), direction, strict=True):
            if weight.ndim < 2:
                assert not moved.any(), name
                continue
            norms, own = moved.flatten(1).norm(dim=1), weight.flatten(1).norm(dim=1)
            assert torch.allclose(norms, own.detach(), rtol=1e-5), name


def test_directions_differ_by_seed_and_from_one_another_and_are_those_of_the_twin_but_for_their_norms():
    network, twin = load_model("resnet20.cifar10").network, load_model("plain20.cifar10").network
    one, other = random_directions(network)
    assert torch.equal(one[0], random_directions(network)[0][0])
    assert not torch.equal(one[0], random_directions(network, 1)[0][0])
    # At right angles, nearly, as random vectors of 269,722 dimensions are.
    flat = [torch.cat([weight.flatten() for weight in direction]) for direction in (one, other)]
    assert abs(F.cosine_similarity(*flat, dim=0)) < 0.02
    for mine, its in zip(one, random_directions(twin)[0], strict=True):
        if mine.ndim > 1:
            alike = F.cosine_similarity(mine.flatten(1), its.flatten(1))
            assert torch.allclose(alike, torch.ones(len(mine)), atol=1e-4)


def test_the_centre_is_the_network_and_the_network_stays_as_it_is():
    model = load_model("resnet20.cifar10")
    model.network.train()
    before = {name: value.clone() for name, value in model.network.state_dict().items()}
    x, y = batch()
    losses, errors = zip(*landscape_rows(model.network, x, y, AXIS), strict=True)
    assert model.network.training
    assert all(torch.equal(value, before[name]) for name, value in model.network.state_dict().items())
    with torch.no_grad():
        logits = model.network.eval()(x)
    assert losses[1][1] == pytest.approx(F.cross_entropy(logits, y).item(), rel=1e-5)
    assert errors[1][1] == 10 * int((logits.argmax(1) != y).sum())
    assert losses[0][0] != losses[1][1] != losses[2][2]


def test_a_network_by_hand_agrees_with_a_direct_computation():
    network = nn.Sequential(nn.Flatten(), nn.Linear(12, 5), nn.ReLU(), nn.Linear(5, 10))
    x, y = batch(size=2)
    one, other = random_directions(network, seed=7)  # type: ignore[arg-type]
    weights = [weight.detach().numpy().astype(np.float64) for weight in network.parameters()]
    rows = list(landscape_rows(network, x, y, AXIS, seed=7))  # type: ignore[arg-type]
    for i, a in enumerate(AXIS):
        for k, b in enumerate(AXIS):
            w1, b1, w2, b2 = (w + a * d.numpy() + b * e.numpy() for w, d, e in zip(weights, one, other, strict=True))
            logits = np.maximum(x.flatten(1).numpy() @ w1.T + b1, 0) @ w2.T + b2
            scores = logits - logits.max(1, keepdims=True)
            logs = scores - np.log(np.exp(scores).sum(1, keepdims=True))
            assert rows[i][0][k] == pytest.approx(-logs[range(10), y].mean(), rel=1e-5)
            assert rows[i][1][k] == pytest.approx(100 * (logits.argmax(1) != y.numpy()).mean())


def test_rows_can_be_computed_from_the_middle_on():
    network, (x, y) = create_network("plain20").eval(), batch(4)
    assert list(landscape_rows(network, x, y, AXIS))[1:] == list(landscape_rows(network, x, y, AXIS, first=1))


def test_what_float32_cannot_hold_is_the_largest_loss():
    network, (x, y) = create_network("plain20-nonorm").eval(), batch(4)
    with torch.no_grad():
        for weight in network.parameters():
            weight.mul_(1e6)
    (losses, _), *_ = landscape_rows(network, x, y, AXIS)
    assert losses == [LARGEST_LOSS] * 3


def study(**changes):
    values = {"model": "m", "sha256": "s", "images": 10, "seed": 0, "reach": 1.0, "size": 3}
    return Landscape(**{**values, "loss": [[1.0, 2.0, 3.0]], "error": [[0.0, 50.0, 100.0]], **changes})


def test_a_study_says_where_its_centre_is_and_whether_it_is_complete():
    assert study().axis == AXIS
    assert not study().complete
    whole = study(loss=[[1.0, 2.0, 3.0]] * 3, error=[[0.0, 50.0, 100.0]] * 3)
    assert whole.complete
    assert whole.centre == (2.0, 50.0)


def test_steps_down_are_counted_on_eight_straight_lines_from_the_centre():
    def of(loss):
        rows = [[float(loss(a, b)) for b in range(-2, 3)] for a in range(-2, 3)]
        return study(size=5, loss=rows, error=[[0.0] * 5] * 5).falls

    # Convex, whichever way the valley runs: none.
    assert of(lambda a, b: a * a + b * b + 1.9 * a * b + 1) == (0, 16)
    assert of(lambda a, b: 10 - max(abs(a), abs(b))) == (16, 16)
    # Up and down again on the line to the right, and on the one to its lower corner.
    wall = {(1, 0): 9.0, (1, 1): 9.0}
    assert of(lambda a, b: wall.get((a, b), a * a + b * b)) == (2, 16)


@pytest.mark.parametrize(
    "impossible",
    [
        {"size": 4}, {"size": 1}, {"reach": 0.0}, {"reach": float("nan")}, {"reach": float("inf")}, {"images": 0},
        {"loss": [[1.0, 2.0]]}, {"error": []},
        {"loss": [[-1.0, 0.0, 0.0]]}, {"error": [[0.0, 0.0, 101.0]]},
    ],
    ids=str,
)  # fmt: skip
def test_an_impossible_study_is_refused(impossible):
    with pytest.raises(InputError):
        study(**impossible)


MEASURED = [f"{name}.cifar10" for name in ("resnet20", "plain20", "resnet56", "plain56", "plain56-grown")]


@pytest.mark.parametrize("name", MEASURED)
def test_the_centre_of_a_shipped_landscape_is_near_the_error_of_its_card(name):
    """Of a few training images; the card's own training error is of all of them, augmented, while it trained."""
    entry = find_entry(name)
    study = find_study(Landscape, entry, open_catalogue().folders)
    assert study.complete
    assert (study.size, study.reach) == (25, 1.0)
    assert study.images == 1000
    assert study.centre[0] == min(map(min, study.loss))
    assert study.centre[1] <= entry.origin.card.train_error + 3


def test_a_grown_network_has_the_loss_of_the_one_it_was_grown_from():
    grown, source = (
        find_study(Landscape, find_entry(f"{name}.cifar10"), open_catalogue().folders).centre
        for name in ("plain56-grown", "plain20")
    )
    assert grown == pytest.approx(source, abs=1e-4)
