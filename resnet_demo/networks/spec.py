"""The specification of a network, a frozen record without tensors, and its name.

A name is a prefix, a depth and optional suffixes, and spells every axis that differs from its default:

    resnet50            imagenet family, residual, projections where the shape changes (option B)
    plain34             the same layers without any shortcut
    resnet34-C          a projection in every block
    resnext50_32x4d     cardinality 32, base width 4
    resnet56            cifar family (6n+2 layers), zero-padded identity shortcuts (option A)
    preresnet110        pre-activation blocks;  highway56: gated shortcuts
    resnet50-cifar      depths 50 and 152 exist in both families; without the suffix they mean imagenet's
    resnet50-smallstem  imagenet's stages of bottlenecks under the cifar family's 3x3 stem, for small images
    plain56-nonorm-sigmoid-xavier     for the laboratory
    plain34-folded     the form of a residual network whose shortcuts are folded into its convolutions
"""

import re
from dataclasses import dataclass
from typing import Any

from resnet_demo.errors import InputError, did_you_mean, quoted, shortened

# Blocks per stage (He et al. 2016, table 1). The first two depths use pairs of 3x3 convolutions.
IMAGENET_STAGES = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}
BASIC_DEPTHS = (18, 34)
DEEPEST = 1202  # He et al. 2016, section 4.2.
MAX_WIDTH = 4096  # 16 times that of resnext101_64x4d; without a limit, the size of a weight overflows.
LADDER = (20, 32, 44, 56, 110)  # The depths that the paper compares on CIFAR-10 (figure 6).

AXES = {
    "family": ("imagenet", "cifar"),
    "connection": ("residual", "plain", "preactivation", "highway"),
    "shortcut": ("A", "B", "C", "none"),
    "norm": ("batch", "none"),
    "activation": ("relu", "tanh", "sigmoid"),
    "init": ("he", "xavier", "normal"),
    "stride_in": ("3x3", "1x1"),
    "stem": ("7x7", "3x3"),
    "folded": (False, True),
}
PREFIXES = {"resnet": "residual", "plain": "plain", "preresnet": "preactivation", "highway": "highway"}
SUFFIXES = {
    "A": ("shortcut", "A"),
    "B": ("shortcut", "B"),
    "C": ("shortcut", "C"),
    "cifar": ("family", "cifar"),
    "nonorm": ("norm", "none"),
    "tanh": ("activation", "tanh"),
    "sigmoid": ("activation", "sigmoid"),
    "xavier": ("init", "xavier"),
    "normal": ("init", "normal"),
    "v1": ("stride_in", "1x1"),
    "smallstem": ("stem", "3x3"),
    "folded": ("folded", True),
}
# What people say for a connection, and for what a name spells; a default, which it does not spell, is left unsaid.
CONNECTION_WORDS = {
    "residual": "residual",
    "plain": "plain",
    "preactivation": "residual with pre-activation",
    "highway": "highway",
}
SUFFIX_WORDS = {
    "A": "zero-padded identity shortcuts",
    "B": "projections where the shape changes",
    "C": "a projection in every block",
    "cifar": "CIFAR stages",
    "nonorm": "no normalization",
    "tanh": "tanh",
    "sigmoid": "sigmoid",
    "xavier": "Xavier initialization",
    "normal": "normal initialization",
    "v1": "stride in the 1x1 convolution",
    "smallstem": "3x3 stem",
    "folded": "shortcuts folded into the convolutions",
}
# What a folded network is: whether it has bottlenecks, its connection, its norm and its activation.
FOLDED = (False, "plain", "none", "relu")
NAME = re.compile(
    r"(resnet|resnext|plain|preresnet|highway)([0-9]{1,6})(?:_([0-9]{1,6})x([0-9]{1,6})d)?((?:-[A-Za-z0-9]+)*)"
)
SPELLINGS = (
    "resnet18, plain34, resnet34-C, resnet152, resnext50_32x4d (ImageNet depths 18, 34, 50, 101, 152) and "
    "resnet20, plain56, preresnet110, highway32 (CIFAR depths 6n+2)"
)


@dataclass(frozen=True, kw_only=True)
class NetworkSpec:
    """One network, described by independent axes. Raises `InputError` for an impossible value, naming possible ones.

    family       "imagenet": 7x7 stem, stages of 64-128-256-512 channels (He et al. 2016, table 1);
                 "cifar": 3x3 stem, stages of 16-32-64 (He et al. 2016, section 4.2)
    depth        weighted layers: 18, 34, 50, 101, 152, or 6n+2 up to 1202 in the cifar family
    connection   "residual" relu(F(x) + S(x)); "plain" relu(F(x)); "preactivation" S(x) + F(x) with norm and
                 activation first (He et al. 2016b); "highway" T(x) act(F(x)) + (1 - T(x)) S(x) (Srivastava et al.
                 2015)
    shortcut     S(x): "A" zero-padded identity, "B" projection where the shape changes, "C" always a projection;
                 "none" for plain networks only
    cardinality, base_width   ResNeXt (Xie et al. 2017): groups of the 3x3 convolution and their width at 64 planes
    norm, activation, init    "he" is N(0, 2 / fan_out), "xavier" Glorot's uniform, "normal" N(0, 0.01^2)
    stride_in    which convolution of a bottleneck has the stride: "3x3" as torchvision, "1x1" as in the paper
    stem         "7x7" with stride 2 and a 3x3/2 max-pool, or "3x3" with stride 1 and no pooling, for small images
    folded       plain blocks whose first convolution has as many more outputs as the block has inputs: they hand the
                 input on to the second one, as `fold_shortcuts` needs it (Meng et al. 2021); without normalization
    """

    family: str
    depth: int
    connection: str
    shortcut: str
    stem: str
    cardinality: int = 1
    base_width: int = 64
    norm: str = "batch"
    activation: str = "relu"
    init: str = "he"
    stride_in: str = "3x3"
    folded: bool = False
    in_channels: int = 3
    num_classes: int = 10

    def __post_init__(self) -> None:
        for axis, values in AXES.items():
            if getattr(self, axis) not in values:
                raise InputError(f"{axis} is {quoted(getattr(self, axis))}; it can be {', '.join(map(str, values))}.")
        for field in ("cardinality", "base_width", "in_channels", "num_classes"):
            if getattr(self, field) < 1:
                raise InputError(f"{field} is {getattr(self, field)}; it must be at least 1.")
        if self.cardinality * self.base_width > MAX_WIDTH:
            raise InputError(f"Cardinality times base width is too large: at most {MAX_WIDTH:,}.")
        if self.family not in families_of(self.depth):
            raise InputError(_no_such_depth(self.depth, self.family))
        if (self.connection == "plain") != (self.shortcut == "none"):
            raise InputError('A plain network has shortcut "none"; every other connection needs A, B or C.')
        if not self.bottleneck and (self.cardinality, self.base_width) != (1, 64):
            raise InputError("Cardinality and base width need bottleneck blocks: depth 50, 101 or 152.")
        if self.family == "cifar" and self.stem != "3x3":
            raise InputError("The cifar family has a 3x3 stem; a 7x7 one belongs to the imagenet family.")
        if not self.bottleneck and self.stride_in != "3x3":
            raise InputError("Only bottleneck blocks (depth 50, 101 or 152) have a 1x1 convolution to stride in.")
        if self.folded and (self.bottleneck, self.connection, self.norm, self.activation) != FOLDED:
            raise InputError("Folded networks are plain ones of two 3x3 convolutions a block, with ReLUs, no norm.")

    @property
    def bottleneck(self) -> bool:
        """Blocks of 1x1, 3x3, 1x1 convolutions with expansion 4, instead of two 3x3."""
        return self.family == "imagenet" and self.depth not in BASIC_DEPTHS

    @property
    def stages(self) -> tuple[int, ...]:
        """Number of blocks in each stage."""
        if self.family == "imagenet":
            return IMAGENET_STAGES[self.depth]
        return ((self.depth - 2) // 6,) * 3

    @property
    def planes(self) -> tuple[int, ...]:
        """Channels of the 3x3 convolutions of each stage: doubled from stage to stage, where the size is halved."""
        first = 64 if self.family == "imagenet" else 16
        return tuple(first * 2**i for i in range(len(self.stages)))

    @property
    def expansion(self) -> int:
        """Channels of a block's output divided by its planes."""
        return 4 if self.bottleneck else 1

    @property
    def name(self) -> str:
        """The name that `parse_name` reads back; it does not include `in_channels` and `num_classes`."""
        widened = (self.cardinality, self.base_width) != (1, 64)
        prefix = next(prefix for prefix, connection in PREFIXES.items() if connection == self.connection)
        if widened and prefix == "resnet":
            prefix = "resnext"
        groups = f"_{self.cardinality}x{self.base_width}d" if widened else ""
        return "-".join([f"{prefix}{self.depth}{groups}", *_suffixes(self)])


def in_words(spec: NetworkSpec) -> str:
    """What `spec.name` spells, in words: "56 layers, plain, no normalization, sigmoid, Xavier initialization". Networks
    of different names differ in words too; batch normalization, ReLU, He initialization and other defaults are left
    unsaid."""
    widened = (spec.cardinality, spec.base_width) != (1, 64)
    groups = [f"cardinality {spec.cardinality}", f"base width {spec.base_width}"] if widened else []
    suffixes = [SUFFIX_WORDS[suffix] for suffix in _suffixes(spec)]
    return ", ".join([f"{spec.depth} layers", CONNECTION_WORDS[spec.connection], *groups, *suffixes])


def _suffixes(spec: NetworkSpec) -> list[str]:
    """What the name of a network has to spell: each axis that differs from its default."""
    defaults = _defaults(spec.depth, spec.connection, spec.family, spec.folded)
    defaults["family"] = families_of(spec.depth)[0]
    return [
        suffix for suffix, (axis, value) in SUFFIXES.items() if getattr(spec, axis) == value and defaults[axis] != value
    ]


def families_of(depth: int) -> tuple[str, ...]:
    """The families that have a network of `depth` layers, the default one first."""
    imagenet = ("imagenet",) if depth in IMAGENET_STAGES else ()
    cifar = ("cifar",) if 8 <= depth <= DEEPEST and depth % 6 == 2 else ()
    return imagenet + cifar


def parse_name(name: str, **overrides: Any) -> NetworkSpec:
    """The spec that `name` spells, e.g. `parse_name("resnet34-C", num_classes=10)`.

    `overrides` are fields of `NetworkSpec`. `num_classes` is 1000 in the imagenet family and 10 in the cifar
    family unless given. Raises `InputError` for an unknown name or an invalid value, naming the valid ones.
    """
    match = NAME.fullmatch(name)
    if not match:
        raise InputError(f"There is no network {quoted(name)}.{_closest(name)} Names are spelled {SPELLINGS}.")
    prefix, depth, cardinality, base_width, suffixes = match.groups()
    fields: dict[str, Any] = {}
    for suffix in filter(None, suffixes.split("-")):
        if suffix not in SUFFIXES:
            raise InputError(f"The name has an unknown -{shortened(suffix)}; suffixes are -{', -'.join(SUFFIXES)}.")
        axis, value = SUFFIXES[suffix]
        if axis in fields:
            raise InputError(f"{quoted(name)} sets {axis} twice.")
        fields[axis] = value
    if (prefix == "resnext") != (cardinality is not None) and prefix in ("resnet", "resnext"):
        raise InputError(f"{quoted(name)}: cardinality and width belong to resnext, as in resnext50_32x4d.")
    if cardinality is not None:
        fields.update(cardinality=int(cardinality), base_width=int(base_width))
    fields.update(overrides)
    connection = fields.pop("connection", PREFIXES.get(prefix, "residual"))
    defaults = _defaults(int(depth), connection, fields.get("family"), fields.get("folded", False))
    return NetworkSpec(**{"depth": int(depth), "connection": connection, **defaults, **fields})


def _defaults(depth: int, connection: str, family: str | None, folded: bool) -> dict[str, Any]:
    """The axes that a name does not spell. The only place that defines the defaults of the families."""
    possible = families_of(depth)
    if not possible:
        raise InputError(_no_such_depth(depth))
    family = family or possible[0]
    shortcut = "none" if connection == "plain" else "B" if family == "imagenet" else "A"
    return {
        "family": family,
        "shortcut": shortcut,
        "norm": "none" if folded else "batch",
        "activation": "relu",
        "init": "he",
        "stride_in": "3x3",
        "folded": False,
        "stem": "7x7" if family == "imagenet" else "3x3",
        "num_classes": 1000 if family == "imagenet" else 10,
    }


def _no_such_depth(depth: int, family: str = "") -> str:
    if depth > DEEPEST:
        return f"A network of {depth} layers is too large: the deepest one has {DEEPEST}."
    near = [d for d in range(max(8, depth - 6), depth + 7) if family in ("", *families_of(d)) and families_of(d)]
    near = near or ([*IMAGENET_STAGES] if family == "imagenet" else [8])
    of = f" of the {family} family" if family else ""
    return (
        f"No network{of} has {depth} layers: ImageNet depths are 18, 34, 50, 101 and 152, "
        f"CIFAR depths are 6n+2 (8, 14, 20, ... 56, ... 110). Near {depth}: {', '.join(map(str, near))}."
    )


def _closest(name: str) -> str:
    known = [f"{prefix}{depth}" for prefix in PREFIXES for depth in (*IMAGENET_STAGES, *LADDER)]
    known += ["resnet34-A", "resnet34-C", "resnext50_32x4d", "resnext101_32x8d", "resnext101_64x4d"]
    return did_you_mean(name.lower(), known, most=1)
