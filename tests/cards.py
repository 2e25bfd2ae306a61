"""Weights and cards as written by the trainer, without training."""

from dataclasses import asdict

import torch
from safetensors.torch import save_file

from resnet_demo.networks import create_network, parameter_count
from resnet_demo.zoo import Card, sha256_of
from resnet_demo.zoo.preprocessing import CIFAR10

LABELS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def put_weights(folder, name, seed=1):
    """Random weights and their card, as if a network of CIFAR-10 had been trained."""
    folder.mkdir(exist_ok=True)
    architecture, _, dataset = name.partition(".")
    network = create_network(architecture, generator=torch.Generator().manual_seed(seed))
    path = folder / f"{name}.safetensors"
    save_file(network.state_dict(), path)
    card = Card(
        name=name, network=asdict(network.spec), dataset=dataset, dataset_title="CIFAR-10", classes=list(LABELS),
        resize=32, input_size=32, mean=list(CIFAR10.mean), std=list(CIFAR10.std),
        parameters=parameter_count(network), test_error=90.0, test_top5_error=50.0, train_error=90.0, epochs=1, seed=1,
        recipe={}, command="none", torch=torch.__version__, device="CPU", sha256=sha256_of(path), curve=[],
    )  # fmt: skip
    card.write(folder / f"{name}.json")
    return card
