"""Grad-CAM for several classes of one photo."""

from collections.abc import Sequence

import torch

from resnet_demo.analysis.explaining import grad_cam, ranked, require_labels, to_unit_range
from resnet_demo.analysis.finding import find_class, find_layer
from resnet_demo.analysis.preparing import prepare
from resnet_demo.images import ImageSource
from resnet_demo.networks.precision import exact_float32
from resnet_demo.networks.views import in_faster_layout, view_of
from resnet_demo.records import ClassMap, Prediction
from resnet_demo.zoo import Model, load_model


def explain_classes(
    image: ImageSource,
    model: str | Model,
    targets: Sequence[int | str] = (),
    layer: str | None = None,
    top_k: int = 3,
) -> tuple[ClassMap, ...]:
    """Grad-CAM for each class, from one forward pass and, per class, one backward pass from the logit to the layer.

    targets   by index or label; the `top_k` most probable classes unless given
    layer     as in `analyze`

    Raises `InputError` for an invalid image or an unknown model, class or layer.
    """
    model = model if isinstance(model, Model) else load_model(model)
    indices = [find_class(target, model.labels) for target in targets]
    x = prepare(image, model).x
    with torch.inference_mode(False), exact_float32(model.device):
        network = view_of(model.network)
        name = find_layer(layer, ("stem", *(name for name, _ in network.named_blocks())))
        with torch.no_grad():
            activation = network.begin(in_faster_layout(x), upto=name)
        with torch.enable_grad():
            activation.requires_grad_()
            logits = network.finish(activation, after=name)[0]
            known = logits.detach().cpu()
            require_labels(model.labels, len(known))
            probabilities = known.softmax(0).tolist()
            named = [Prediction(index, model.labels[index], probabilities[index]) for index in indices]
            maps = []
            for prediction in named or ranked(known, model.labels, top_k):
                (gradient,) = torch.autograd.grad(logits[prediction.index], activation, retain_graph=True)
                maps.append(ClassMap(prediction, *to_unit_range(grad_cam(activation, gradient)[0])))
    return tuple(maps)
