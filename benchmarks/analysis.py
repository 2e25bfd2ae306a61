"""An analysis beside its floor and beside a composition of libraries; the map alone beside libraries for it.

    python -m benchmarks.analysis [NETWORK ...] [--rounds 9]

The floor is torchvision's network (for CIFAR, this project's): one bare forward pass and one full backward pass of a
prepared tensor. The composition is torchvision's network and transforms for the top five classes, Captum's
LayerGradCam for the map, and one more forward and backward pass for the gradient norms. The analysis starts from the
decoded photo, as the composition does, and also returns the responses, output gradients and branch ratios. The
composition and the libraries run in the faster of both memory layouts, channels first or last. Weights are random.
At the end, a comparison of two trained networks beside the two analyses that it consists of.
"""

import copy
import statistics
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
from resnet_demo.zoo.preprocessing import IMAGENET

TARGET = 5
Call = Callable[[], object]
Calls = dict[str, Call]


def models(name: str) -> tuple[Model, nn.Module]:
    """The model as `load_model` returns it, and the same network as other libraries provide it."""
    if not hasattr(torchvision.models, name):
        ours = load_model(f"{name}.cifar10", "cpu")
        theirs = create_network(name, num_classes=10).eval()
        theirs.load_state_dict(ours.network.state_dict())
        return ours, theirs
    theirs = getattr(torchvision.models, name)().eval()
    network = create_network(name).eval()
    network.load_state_dict(copy.deepcopy(theirs.state_dict()))
    labels = tuple(map(str, range(1000)))
    return Model(name, network.to(memory_format=torch.channels_last), labels, IMAGENET), theirs


def floor(network: nn.Module, x: Tensor) -> None:
    network.zero_grad()
    network(x)[0, TARGET].backward()


def faster(make: Callable[[nn.Module, torch.memory_format], Call], network: nn.Module) -> Call:
    """The faster of the two calls that `make` returns for a copy of the network in each memory layout."""
    layouts = (torch.contiguous_format, torch.channels_last)
    calls = {str(layout): make(copy.deepcopy(network).to(memory_format=layout), layout) for layout in layouts}
    times = take_turns(calls, rounds=3, warmups=1)
    return calls[min(times, key=lambda layout: statistics.median(times[layout]))]


def composed(network: nn.Module, layer: LayerGradCam, x: Tensor) -> tuple:
    """The top classes, the map and the norms, each with its own passes."""
    with torch.no_grad():
        top = network(x)[0].softmax(0).topk(5)
    cam = layer.attribute(x, target=TARGET, relu_attributions=True)
    floor(network, x)
    weights = [module.weight for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    return top, cam.detach(), [weight.grad.norm().item() for weight in weights]


def last_block(network: nn.Module) -> nn.Module:
    stage = getattr(network, "layer4", None) or network.layer3
    return stage[-1]


def whole(ours: Model, theirs: nn.Module, photo: Image.Image, x: Tensor) -> Calls:
    preprocess = transforms(ours)
    last = copy.deepcopy(theirs).to(memory_format=torch.channels_last)
    x_last = x.contiguous(memory_format=torch.channels_last)

    def composition(network: nn.Module, layout: torch.memory_format) -> Call:
        layer = LayerGradCam(network, last_block(network))
        return lambda: composed(network, layer, preprocess(photo)[None].contiguous(memory_format=layout))

    return {
        "floor: bare forward and backward": lambda: floor(theirs, x),
        "the same, channels last": lambda: floor(last, x_last),
        "composition": faster(composition, theirs),
        "ours": lambda: analyze(photo, ours, TARGET),
    }


def transforms(ours: Model) -> Callable[[Image.Image], Tensor]:
    """torchvision's transforms, for the same pixels."""
    size = ours.preprocessing
    return ImageClassification(crop_size=size.crop_size, resize_size=size.resize_size, mean=size.mean, std=size.std)


def map_alone(ours: Model, theirs: nn.Module, photo: Image.Image) -> Calls:
    """The map by each library, from the decoded photo."""
    preprocess = transforms(ours)

    def seen(layout: torch.memory_format) -> Tensor:
        return preprocess(photo)[None].contiguous(memory_format=layout)

    def captum(network: nn.Module, layout: torch.memory_format) -> Call:
        method = LayerGradCam(network, last_block(network))
        return lambda: method.attribute(seen(layout), target=TARGET, relu_attributions=True)

    def torchcam(network: nn.Module, layout: torch.memory_format) -> Call:
        method = TorchCam(network, target_layer=last_block(network))
        return lambda: method(TARGET, network(seen(layout)))

    def grad_cam(network: nn.Module, layout: torch.memory_format) -> Call:
        method = GradCAM(model=network, target_layers=[last_block(network)])
        return lambda: method(input_tensor=seen(layout), targets=[ClassifierOutputTarget(TARGET)])

    libraries = {"Captum": captum, "torch-cam": torchcam, "pytorch-grad-cam": grad_cam}
    calls = {name: faster(make, theirs) for name, make in libraries.items()}
    return calls | {"ours": lambda: explain_classes(photo, ours, [TARGET])}


def comparison(photo: Image.Image) -> Calls:
    """Two networks on one photo: compared, and analyzed one by one for the same class."""
    one, other = load_model("resnet20.cifar10", "cpu"), load_model("plain20.cifar10", "cpu")
    target = analyze(photo, one).target.index
    return {
        "two analyses": lambda: (analyze(photo, one), analyze(photo, other, target)),
        "compare": lambda: compare(photo, one, other),
    }


def main(networks: Annotated[list[str] | None, typer.Argument()] = None, rounds: int = 9) -> None:
    """Print two tables per network, and one for the comparison."""
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
