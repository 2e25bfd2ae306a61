"""The data sets that networks of this project are trained on."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Dataset:
    """Square images of `size` pixels; `mean` and `std` of the training images, one value a channel, in [0, 1]."""

    title: str
    labels: tuple[str, ...]
    size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]


DATASETS = {
    "cifar10": Dataset(
        title="CIFAR-10",
        labels=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
        size=32,
        mean=(0.4914, 0.4822, 0.4465),
        std=(0.247, 0.2435, 0.2616),
    ),
    "fashion_mnist": Dataset(
        title="Fashion-MNIST",
        labels=(
            "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
        ),
        size=28,
        mean=(0.286,),
        std=(0.353,),
    ),
}  # fmt: skip
