"""What the measures and terms of the Gradient flow tab mean."""

from html import escape

from resnet_demo.ui.language import later, t

MEANINGS = {
    "gradient_norm": later(
        "The L2 norm of the gradient of the loss with respect to the weights of a layer. Where it tends "
        "to 0 towards the input, gradients vanish; where it grows beyond bounds, they explode."
    ),
    "response_std": later(
        "The response of a layer is the output of its convolution after batch normalization, if there is "
        "any, before the nonlinearity and the addition (He et al. 2016, figure 7); here, its standard deviation."
    ),
    "dead_or_saturated": later(
        "Dead: channels of a ReLU that are 0 for every image at every position. Saturated: outputs "
        "of a tanh or sigmoid within 0.5 % of their range from a bound, where the slope is almost 0."
    ),
}
TERMS = {
    later("Initialization"): later(
        "the random weights before training. Fan-in and fan-out: the number of inputs and outputs that "
        "a unit of a layer is connected to."
    ),
    "He": later("normal, of variance 2 / fan-out, which keeps the size of gradients under ReLUs (He et al. 2015)."),
    "Xavier": later(
        "uniform, of variance 2 / (fan-in + fan-out), for activations that are linear around 0 (Glorot and "
        "Bengio 2010)."
    ),
    "Normal": later("a standard deviation of 0.01 whatever the layer, as was usual before."),
    later("Batch normalization"): later(
        "each channel is shifted and scaled to mean 0 and variance 1 over the batch (Ioffe and Szegedy 2015)."
    ),
    later("Unsaid"): later(
        "networks have batch normalization, ReLUs and He initialization unless their names say otherwise."
    ),
}


def meaning(measure: str) -> str:
    """What a measure is; nothing for one that there is not."""
    return f'<p class="facts">{escape(t(MEANINGS.get(measure, "")))}</p>'


def terms() -> str:
    """The words of this tab, for who asks."""
    items = "".join(f"<p class='facts'><b>{escape(t(term))}</b>: {escape(t(text))}</p>" for term, text in TERMS.items())
    return f"<details><summary>{t('Initialization, batch normalization')}</summary>{items}</details>"
