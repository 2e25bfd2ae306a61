"""Networks: sizes, names, the four connections, the three shortcuts, and agreement with torchvision."""

from contextlib import suppress
from itertools import chain, combinations

import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from resnet_demo.networks import NetworkSpec, create_network, empty_network, families_of, parameter_count, parse_name
from resnet_demo.networks.blocks import Block, ZeroPadShortcut
from resnet_demo.networks.spec import SUFFIXES, in_words

PARAMETERS = {
    "resnet20": 269_722,
    "resnet32": 464_154,
    "resnet44": 658_586,
    "resnet56": 853_018,
    "resnet110": 1_727_962,
    "plain20": 269_722,
    "plain32": 464_154,
    "plain44": 658_586,
    "plain56": 853_018,
    "plain110": 1_727_962,
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "resnet152": 60_192_808,
    "resnext50_32x4d": 25_028_904,
    "resnext101_32x8d": 88_791_336,
    "resnext101_64x4d": 83_455_272,
}
TORCHVISION = [name for name in PARAMETERS if name in torchvision.models.list_models()]
GOLDEN = [-0.33274, -0.30691, -1.76806, -0.56634]
EVERY_KIND = ["resnet20", "plain20", "preresnet20", "highway20", "resnet18", "plain50", "preresnet50", "resnet20-C"]


def seeded(name, seed=0, **overrides):
    return create_network(name, generator=torch.Generator().manual_seed(seed), **overrides)


@pytest.mark.parametrize(("name", "count"), PARAMETERS.items())
def test_parameter_count(name, count):
    assert parameter_count(empty_network(parse_name(name))) == count


@pytest.mark.parametrize("name", TORCHVISION)
def test_torchvisions_state_dict_gives_torchvisions_logits(name):
    reference = torchvision.models.get_model(name, weights=None).eval()
    network = empty_network(parse_name(name))
    network.load_state_dict(reference.state_dict(), strict=True, assign=True)
    x = torch.randn(2, 3, 96, 96, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        difference = (network.eval()(x) - reference(x)).abs().max()
    assert difference <= 1e-5


def test_all_seven_architectures_of_torchvision_are_compared():
    assert len([name for name in TORCHVISION if name != "resnext101_64x4d"]) == 7


@pytest.mark.parametrize("name", EVERY_KIND)
def test_trace_names_what_a_hook_sees(name):
    network = seeded(name, num_classes=7).eval()
    seen = {}
    for key, member in network.named_blocks():
        member.register_forward_hook(lambda module, inputs, output, key=key: seen.update({key: output.clone()}))
    x = torch.randn(2, 3, 64, 64)
    trace = network.trace(x)
    assert torch.equal(network(x), trace.logits)
    assert list(trace.outputs) == ["stem", *seen]
    assert all(torch.equal(trace.outputs[key], output) for key, output in seen.items())


@pytest.mark.parametrize("name", EVERY_KIND)
def test_responses_and_weights_name_every_convolution_in_the_same_order(name):
    network = seeded(name)
    convolutions = {key for key, module in network.named_modules() if isinstance(module, nn.Conv2d)}
    trace = network.trace(torch.randn(2, 3, 64, 64))
    assert [layer.name for layer in network.layers()] == [*trace.responses, "fc"]
    assert set(trace.responses) == convolutions


def test_a_response_stays_what_its_name_says():
    """The pitfall of in-place activations: after the forward pass, torchvision's bn2 output has been overwritten."""
    reference = torchvision.models.resnet18(weights=None).eval()
    network = empty_network(parse_name("resnet18"))
    network.load_state_dict(reference.state_dict(), assign=True)
    kept, cloned = [], []
    reference.layer4[1].bn2.register_forward_hook(lambda module, inputs, output: kept.append(output))
    reference.layer4[1].bn2.register_forward_hook(lambda module, inputs, output: cloned.append(output.clone()))
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        reference(x)
        response = network.eval().trace(x).responses["layer4.1.conv2"]
    assert torch.equal(response, cloned[0])
    assert not torch.equal(kept[0], cloned[0]), "torchvision no longer works in place: this test has lost its point"


@pytest.mark.parametrize("name", EVERY_KIND)
def test_no_activation_is_shared_or_in_place(name):
    network = empty_network(parse_name(name))
    activations = [m for m in network.modules() if isinstance(m, nn.ReLU)]
    assert not any(activation.inplace for activation in activations)
    traced = [path for path, module in network.named_modules(remove_duplicate=False) if isinstance(module, nn.ReLU)]
    assert len(traced) == len(activations)


def test_zero_padding_appends_channels_and_takes_every_second_pixel():
    x = torch.arange(2 * 3 * 4 * 4.0).view(2, 3, 4, 4)
    y = ZeroPadShortcut(new_channels=2, stride=2)(x)
    assert torch.equal(y[:, :3], x[:, :, ::2, ::2])
    assert y.shape == (2, 5, 2, 2)
    assert not y[:, 3:].any()


@pytest.mark.parametrize(("shortcut", "projections"), [("A", 0), ("B", 3), ("C", 16)])
def test_shortcut_options_of_resnet34(shortcut, projections):
    network = empty_network(parse_name(f"resnet34-{shortcut}"))
    assert sum(isinstance(block.downsample, nn.Sequential) for _, block in network.named_blocks()) == projections


def test_a_plain_network_has_no_shortcut_at_all():
    assert not any("downsample" in name for name, _ in empty_network(parse_name("plain34")).named_modules())


def block(name, **overrides):
    """A block whose output has the shape of its input, and an input for it."""
    torch.manual_seed(0)
    return Block(parse_name(name, **overrides), "layer1.0", 16, 16, 1).eval(), torch.randn(2, 16, 8, 8)


def transform(made, x):
    return made.bn2(made.conv2(torch.relu(made.bn1(made.conv1(x)))))


def test_residual_is_activation_of_the_sum():
    made, x = block("resnet20")
    assert torch.equal(made(x), torch.relu(transform(made, x) + x))


def test_plain_is_the_same_without_the_sum():
    made, x = block("plain20")
    assert torch.equal(made(x), torch.relu(transform(made, x)))


def test_preactivation_adds_to_an_untouched_input():
    made, x = block("preresnet20")
    hidden = made.conv1(torch.relu(made.bn1(x)))
    assert torch.equal(made(x), made.conv2(torch.relu(made.bn2(hidden))) + x)


def test_highway_carries_what_it_does_not_transform():
    made, x = block("highway20")
    gate = torch.sigmoid(made.gate(x))
    expected = gate * torch.relu(transform(made, x)) + (1 - gate) * x
    torch.testing.assert_close(made(x), expected)


def test_highway_gates_start_mostly_closed():
    network = seeded("highway20")
    assert all((block.gate.bias == -2).all() for _, block in network.named_blocks())


@pytest.mark.parametrize(("name", "strided"), [("resnet50", "conv2"), ("resnet50-v1", "conv1")])
def test_stride_of_a_bottleneck(name, strided):
    first = empty_network(parse_name(name)).layer2[0]
    assert [conv for conv in ("conv1", "conv2", "conv3") if getattr(first, conv).stride == (2, 2)] == [strided]


def test_resnext_groups_and_width():
    conv = empty_network(parse_name("resnext50_32x4d")).layer1[0].conv2
    assert (conv.in_channels, conv.out_channels, conv.groups) == (128, 128, 32)


@pytest.mark.parametrize(
    ("init", "std"),
    [("he", (2 / (64 * 9)) ** 0.5), ("xavier", (2 / (64 * 9 * 2)) ** 0.5), ("normal", 0.01)],
)
def test_initialization_has_its_standard_deviation(init, std):
    weight = seeded("resnet20", init=init).layer3[1].conv1.weight
    assert weight.std().item() == pytest.approx(std, rel=0.02)


def test_the_small_stem_keeps_the_resolution_of_small_images():
    network = seeded("resnet50-smallstem", in_channels=1, num_classes=10)
    outputs = network.trace(torch.randn(2, 1, 28, 28)).outputs
    assert outputs["stem"].shape == (2, 64, 28, 28)
    assert outputs["layer4.2"].shape == (2, 2048, 4, 4)
    # torchvision's 25,557,032, minus 990 classes and all but 1x3x3 of conv1's 3x7x7 inputs.
    assert parameter_count(network) == 25_557_032 - 990 * 2049 - 64 * (3 * 49 - 9)


@pytest.mark.parametrize("axes", ["-nonorm", "-tanh", "-sigmoid", "-nonorm-sigmoid-xavier", "-normal"])
def test_laboratory_axes_build_and_run(axes):
    network = seeded(f"plain20{axes}", in_channels=1, num_classes=3)
    assert network(torch.randn(2, 1, 28, 28)).shape == (2, 3)
    assert any(isinstance(m, nn.BatchNorm2d) for m in network.modules()) == ("nonorm" not in axes)


def test_generator_decides_and_the_global_state_is_left_alone():
    before = torch.get_rng_state()
    first, again, other = seeded("resnet20", 3), seeded("resnet20", 3), seeded("resnet20", 4)
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(first.conv1.weight, again.conv1.weight)
    assert not torch.equal(first.conv1.weight, other.conv1.weight)


@settings(max_examples=200, deadline=None)
@given(
    depth=st.sampled_from([18, 34, 50, 101, 152, 8, 20, 32, 56, 110]),
    connection=st.sampled_from(["residual", "plain", "preactivation", "highway"]),
    shortcut=st.sampled_from("ABC"),
    cardinality=st.sampled_from([(1, 64), (32, 4), (2, 40)]),
    norm=st.sampled_from(["batch", "none"]),
    activation=st.sampled_from(["relu", "tanh", "sigmoid"]),
    init=st.sampled_from(["he", "xavier", "normal"]),
    stride_in=st.sampled_from(["3x3", "1x1"]),
    stem=st.sampled_from(["7x7", "3x3"]),
    data=st.data(),
)
def test_every_spec_prints_a_name_that_reads_back(
    depth, connection, shortcut, cardinality, stride_in, stem, data, **axes
):
    family = data.draw(st.sampled_from(families_of(depth)))
    bottleneck = family == "imagenet" and depth >= 50
    spec = NetworkSpec(
        family=family,
        depth=depth,
        connection=connection,
        shortcut="none" if connection == "plain" else shortcut,
        cardinality=cardinality[0] if bottleneck else 1,
        base_width=cardinality[1] if bottleneck else 64,
        stride_in=stride_in if bottleneck else "3x3",
        stem=stem if family == "imagenet" else "3x3",
        num_classes=1000 if family == "imagenet" else 10,
        **axes,
    )
    assert parse_name(spec.name) == spec


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("resnet56", "56 layers, residual"),
        ("plain56", "56 layers, plain"),
        ("preresnet110", "110 layers, residual with pre-activation"),
        ("highway20-tanh", "20 layers, highway, tanh"),
        (
            "plain56-nonorm-sigmoid-xavier",
            "56 layers, plain, no normalization, sigmoid, Xavier initialization",
        ),
        ("resnet20-normal", "20 layers, residual, normal initialization"),
        ("resnet20-A", "20 layers, residual"),  # The family's default.
        ("resnet20-B", "20 layers, residual, projections where the shape changes"),
        ("resnet34-A", "34 layers, residual, zero-padded identity shortcuts"),
        ("resnet34-C", "34 layers, residual, a projection in every block"),
        ("resnet50-cifar", "50 layers, residual, CIFAR stages"),
        ("resnet50-v1-smallstem", "50 layers, residual, stride in the 1x1 convolution, 3x3 stem"),
        ("resnext50_32x4d", "50 layers, residual, cardinality 32, base width 4"),
        ("plain34-folded", "34 layers, plain, shortcuts folded into the convolutions"),
    ],
)
def test_a_spec_is_said_in_words(name, words):
    assert in_words(parse_name(name)) == words


def test_networks_of_different_names_differ_in_words():
    said = {}
    for base in ("resnet20", "plain20", "preresnet50", "highway34", "resnet50", "resnext50_32x4d", "plain34"):
        for suffixes in chain.from_iterable(combinations(SUFFIXES, count) for count in range(4)):
            with suppress(ValueError):
                spec = parse_name("-".join([base, *suffixes]))
                said.setdefault(in_words(spec), set()).add(spec.name)
    assert len(said) > 500
    assert {words: names for words, names in said.items() if len(names) > 1} == {}


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("resnet57", "Near 57: 56, 62"),
        ("resnt50", "Did you mean resnet50?"),
        ("resnet50-foo", "unknown -foo"),
        ("plain34-A", 'shortcut "none"'),
        ("resnext50", "resnext50_32x4d"),
        ("resnet20_2x4d", "belong to resnext"),
        ("resnet18-v1", "Only bottleneck"),
        ("resnet18-cifar", r"^No network of the cifar family has 18 layers: .* Near 18: 14, 20\.$"),
        ("resnet34-cifar", r"Near 34: 32, 38\.$"),
        ("resnet2", r"Near 2: 8\.$"),
        ("resnext50_999999x999999d", "Cardinality times base width is too large: at most 4,096"),
        ("resnet20-A-B", "sets shortcut twice"),
        ("", "Names are spelled"),
    ],
)
def test_a_name_that_does_not_exist_says_what_does(name, says):
    with pytest.raises(ValueError, match=says):
        parse_name(name)


@pytest.mark.parametrize(
    "override", [{"norm": "group"}, {"num_classes": 0}, {"activation": "gelu"}, {"in_channels": -1}]
)
def test_an_impossible_value_is_named(override):
    with pytest.raises(ValueError, match=next(iter(override))):
        create_network("resnet20", **override)


def test_overrides_are_those_of_a_spec_too():
    assert create_network(parse_name("resnet8"), num_classes=3).fc.out_features == 3


def test_golden_logits_of_a_seeded_network():
    """These numbers may change only if the network or its initialization changes, which needs a reason."""
    network = seeded("resnet20").eval()
    x = torch.linspace(-1, 1, 3 * 32 * 32).view(1, 3, 32, 32)
    logits = network(x)[0, :4]
    torch.testing.assert_close(logits, torch.tensor(GOLDEN), rtol=1e-3, atol=1e-4)


def test_each_layer_says_what_it_is():
    layers = {layer.name: layer for layer in empty_network(parse_name("highway20-B")).layers()}
    roles = {"conv1": "main", "layer1.0.conv2": "main", "layer2.0.downsample.0": "projection", "layer1.0.gate": "gate"}
    assert {name: layers[name].role for name in (*roles, "fc")} == roles | {"fc": "main"}
    assert [layers[name].is_main for name in roles] == [True, True, False, False]
    stages = {"conv1": "stem", "layer1.0.conv2": "layer1", "layer2.0.downsample.0": "layer2", "fc": "fc"}
    assert {name: layers[name].stage for name in stages} == stages
    network = create_network("highway20-B")
    assert all(network.get_submodule(layer.name) is layer.module for layer in network.layers())
