"""Helpers that several of these test files share."""

import pytest

from resnet_demo import load_model


@pytest.fixture(scope="session")
def residual():
    return load_model("resnet20.cifar10")


@pytest.fixture(scope="session")
def plain():
    return load_model("plain20.cifar10")
