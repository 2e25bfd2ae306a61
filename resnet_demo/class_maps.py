"""Grad-CAM for several classes of one photo: where would it have looked for a dog?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from resnet_demo.analysis import grad_cam, ranked, scaled
from resnet_demo.finding import find_class, find_layer
from resnet_demo.images import ImageSource, load_image
from resnet_demo.measuring import exact_float32, in_faster_layout, view_of
from resnet_demo.records import Prediction
from resnet_demo.zoo import Model, load_model


@dataclass(frozen=True, eq=False)
class ClassMap:
    """cam   float32 (h, w) in [0, 1], divided by its own maximum `cam_max`; zero if nothing speaks for the class."""

    prediction: Prediction
    cam: np.ndarray
    cam_max: float


def class_maps(
    image: ImageSource,
    model: str | Model,
    targets: Sequence[int | str] = (),
    layer: str | None = None,
    top_k: int = 3,
) -> tuple[ClassMap, ...]:
    """One forward pass, and one backward pass from the logits to the layer for each class.

    targets   by index or label; the `top_k` most probable classes unless given
    layer     as in `analyze`

    Raises `InputError` for an image, model, class or layer that does not exist.
    """
    model = model if isinstance(model, Model) else load_model(model)
    indices = [find_class(target, model.labels) for target in targets]
    square = model.preprocessing.square(load_image(image))
    x = model.preprocessing.tensor(square).to(model.device)
    with torch.inference_mode(False), exact_float32(model.device):
        network = view_of(model.network)
        name = find_layer(layer, ("stem", *(name for name, _ in network.named_blocks())))
        with torch.no_grad():
            activation = network.begin(in_faster_layout(x), upto=name)
        with torch.enable_grad():
            activation.requires_grad_()
            logits = network.finish(activation, after=name)[0]
            known = logits.detach().cpu()
            probabilities = known.softmax(0).tolist()
            named = [Prediction(index, model.labels[index], probabilities[index]) for index in indices]
            maps = []
            for prediction in named or ranked(known, model.labels, top_k):
                (gradient,) = torch.autograd.grad(logits[prediction.index], activation, retain_graph=True)
                maps.append(ClassMap(prediction, *scaled(grad_cam(activation, gradient)[0])))
    return tuple(maps)
