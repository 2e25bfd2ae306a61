"""A short tour of gradients, at initialization and after training: networks to compare and what they show. Tests check
every claim."""

from resnet_demo.records import Stop

TOUR = (
    Stop(
        "sigmoid",
        "1. Why deep networks did not train",
        ("plain20-nonorm-sigmoid-xavier", "plain32-nonorm-sigmoid-xavier", "plain56-nonorm-sigmoid-xavier"),
        "gradient_norm",
        "Sigmoids and no normalization, as before 2010: towards the input, the gradient shrinks by a steady factor "
        "per layer (Glorot and Bengio 2010). With 56 layers, hardly anything that a float can represent remains.",
    ),
    Stop(
        "he",
        "2. Better initialization fixes that",
        ("plain56-nonorm", "plain56-nonorm-xavier", "plain56-nonorm-normal"),
        "gradient_norm",
        "Still no normalization, but ReLUs: with He initialization (He et al. 2015) the gradient is about as large in "
        "the first layer as in the last. With smaller initial weights hardly anything is left of it in any layer: less "
        "than a millionth by Xavier's, nothing by N(0, 0.01²).",
    ),
    Stop(
        "plain",
        "3. With batch normalization nothing vanishes: gradients grow",
        ("plain20", "plain32", "plain44", "plain56"),
        "gradient_norm",
        "The paper's plain networks. It says that their gradients are healthy and unlikely to be the problem; at "
        "initialization they even grow towards the input, and more so in deeper networks, as the mean-field theory of "
        "batch normalization predicts (Yang et al. 2019).",
    ),
    Stop(
        "residual",
        "4. Shortcuts keep them level",
        ("plain56", "resnet56", "preresnet56"),
        "gradient_norm",
        "The same 56 layers with shortcuts: the gradient hardly grows. That this is why they train better is a "
        "plausible reading, not what the paper shows; it shows the training error.",
    ),
    Stop(
        "doubling",
        "5. Shortcuts alone are not enough",
        ("resnet20-nonorm", "resnet56-nonorm", "resnet56"),
        "response_std",
        "Without normalization, every block adds its own variance to the signal, which grows from block to block; with "
        "normalization, each response has standard deviation 1.",
    ),
    Stop(
        "trained",
        "6. After training, no gradient has vanished",
        ("plain20.cifar10", "plain56.cifar10", "resnet20.cifar10", "resnet56.cifar10"),
        "gradient_norm",
        "Trained networks, over 1,000 test images: at the end of training, each layer's gradient in plain-56 is within "
        "a factor of ten of any other's, so none has vanished. That fits the paper, which calls vanishing gradients an "
        "unlikely cause of its higher error. Compare the shapes and not the heights: a larger loss alone makes "
        "gradients larger.",
    ),
)


def find_stop(key: str) -> Stop | None:
    """The stop with this key, if there is one."""
    return next((stop for stop in TOUR if stop.key == key), None)
