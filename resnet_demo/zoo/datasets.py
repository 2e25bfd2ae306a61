"""The data sets that torchvision can download, with what training on them needs to know in advance."""

from dataclasses import dataclass

from resnet_demo.zoo.preprocessing import CIFAR10, Preprocessing


@dataclass(frozen=True)
class Dataset:
    """title           the name for display, as on the card
    source          the name of its class in torchvision.datasets
    preprocessing   converts the images of a folder to the form of the data set
    """

    title: str
    source: str
    preprocessing: Preprocessing


DATASETS = {
    "cifar10": Dataset("CIFAR-10", "CIFAR10", CIFAR10),
    "cifar100": Dataset(
        "CIFAR-100", "CIFAR100", Preprocessing(32, 32, (0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762))
    ),
    "fashion_mnist": Dataset("Fashion-MNIST", "FashionMNIST", Preprocessing(28, 28, (0.286,), (0.353,))),
}


def title_of(dataset: str) -> str:
    """The title of a data set; for one that is not in the list, its name."""
    return DATASETS[dataset].title if dataset in DATASETS else dataset
