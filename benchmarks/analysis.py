"""An analysis beside its floor and beside what people would compose; the map alone beside the libraries for it.

    python -m benchmarks.analysis [NETWORK ...] [--rounds 9]

The floor is torchvision's network (for CIFAR, our own): one bare forward pass and one full backward pass, of a tensor
that is ready. The composition is torchvision's network and transforms for the top five classes, Captum's LayerGradCam
for the map, and one more forward and backward pass for the gradient norms. Ours starts from the decoded photo, as the
composition does, and gives all of it and the responses, output gradients and branch ratios too. Weights are random.
At the end, a comparison of two trained networks beside the two analyses that it consists of.
"""

import copy
from collections.abc import Callable
from typing import Annotated

import torch
import torchvision
import typer
from captum.attr import LayerGradCam
from PIL import Image
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor, nn
from torchcam.methods import GradCAM as TorchCam
from torchvision.transforms._presets import ImageClassification

from benchmarks.side_by_side import print_machine, print_times, take_turns
from resnet_demo import Model, analyze, create_network, load_model
from resnet_demo.analysis.class_maps import explain_classes
from resnet_demo.analysis.comparison import compare
from resnet_demo.images import EXAMPLES, load_image
from resnet_demo.zoo import IMAGENET_MEAN, IMAGENET_STD, Preprocessing

TARGET = 5
Calls = dict[str, Callable[[], object]]


def models(name: str) -> tuple[Model, nn.Module]:
    """Ours, as `load_model` makes it, and the same network as people have it."""
    if not hasattr(torchvision.models, name):
        ours = load_model(f"{name}.cifar10", "cpu")
        theirs = create_network(name, num_classes=10).eval()
        theirs.load_state_dict(ours.network.state_dict())
        return ours, theirs
    theirs = getattr(torchvision.models, name)().eval()
    network = create_network(name).eval()
    network.load_state_dict(copy.deepcopy(theirs.state_dict()))
    labels = tuple(map(str, range(1000)))
    preprocessing = Preprocessing(256, 224, IMAGENET_MEAN, IMAGENET_STD)
    return Model(name, network.to(memory_format=torch.channels_last), labels, preprocessing), theirs


def floor(network: nn.Module, x: Tensor) -> None:
    network.zero_grad()
    network(x)[0, TARGET].backward()


def composed(network: nn.Module, photo: Image.Image, preprocess: Callable[[Image.Image], Tensor]) -> tuple:
    """The top classes, the map, the norms: three libraries' worth of passes."""
    x = preprocess(photo)[None]
    with torch.no_grad():
        top = network(x)[0].softmax(0).topk(5)
    cam = LayerGradCam(network, last_block(network)).attribute(x, target=TARGET, relu_attributions=True)
    floor(network, x)
    weights = [module.weight for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    return top, cam.detach(), [weight.grad.norm().item() for weight in weights]


def last_block(network: nn.Module) -> nn.Module:
    stage = network.layer4 if hasattr(network, "layer4") else network.layer3
    return stage[-1]


def whole(ours: Model, theirs: nn.Module, photo: Image.Image, x: Tensor) -> Calls:
    preprocess = transforms(ours)
    last = copy.deepcopy(theirs).to(memory_format=torch.channels_last)
    x_last = x.contiguous(memory_format=torch.channels_last)
    return {
        "floor: bare forward and backward": lambda: floor(theirs, x),
        "the same, channels last": lambda: floor(last, x_last),
        "composition": lambda: composed(theirs, photo, preprocess),
        "ours": lambda: analyze(photo, ours, TARGET),
    }


def transforms(ours: Model) -> Callable[[Image.Image], Tensor]:
    """torchvision's, for the same pixels."""
    size = ours.preprocessing
    return ImageClassification(crop_size=size.crop, resize_size=size.resize, mean=size.mean, std=size.std)


def map_alone(ours: Model, theirs: nn.Module, photo: Image.Image) -> Calls:
    """Everybody starts from the decoded photo."""
    preprocess = transforms(ours)
    captum = LayerGradCam(theirs, last_block(theirs))
    by_hooks, gradcam = copy.deepcopy(theirs), copy.deepcopy(theirs)
    torchcam = TorchCam(by_hooks, target_layer=last_block(by_hooks))
    grad_cam = GradCAM(model=gradcam, target_layers=[last_block(gradcam)])
    return {
        "Captum": lambda: captum.attribute(preprocess(photo)[None], target=TARGET, relu_attributions=True),
        "torch-cam": lambda: torchcam(TARGET, by_hooks(preprocess(photo)[None])),
        "pytorch-grad-cam": lambda: grad_cam(
            input_tensor=preprocess(photo)[None], targets=[ClassifierOutputTarget(TARGET)]
        ),
        "ours": lambda: explain_classes(photo, ours, [TARGET]),
    }


def comparison(photo: Image.Image) -> Calls:
    """Two networks on one photo: together, and one by one for the same class."""
    one, other = load_model("resnet20.cifar10", "cpu"), load_model("plain20.cifar10", "cpu")
    target = analyze(photo, one).target.index
    return {
        "two analyses": lambda: (analyze(photo, one), analyze(photo, other, target)),
        "compare": lambda: compare(photo, one, other),
    }


def main(networks: Annotated[list[str] | None, typer.Argument()] = None, rounds: int = 9) -> None:
    """Print two tables for each network, and one for the comparison."""
    photo = load_image(EXAMPLES / "cat.jpg")
    for name in networks or ("resnet18", "resnet50", "resnet152", "resnet20", "resnet56"):
        torch.manual_seed(0)
        ours, theirs = models(name)
        x = ours.preprocessing.tensor(ours.preprocessing.crop(photo))
        print_times(f"{name}: everything", take_turns(whole(ours, theirs, photo, x), rounds))
        print_times(f"{name}: the map alone", take_turns(map_alone(ours, theirs, photo), rounds))
    print_times("Two networks", take_turns(comparison(photo), rounds))
    print_machine("torchvision", "captum", "torchcam", "grad-cam")


if __name__ == "__main__":
    typer.run(main)
