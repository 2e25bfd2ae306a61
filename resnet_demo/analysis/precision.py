"""The error of a faster precision, relative to float32."""

import math

from resnet_demo.records import Analysis, PrecisionError


def precision_error(found: Analysis, exact: Analysis) -> PrecisionError:
    """The largest differences of `found` from `exact`, for the same photo, network and class."""
    probabilities = {prediction.index: prediction.probability for prediction in exact.predictions}
    differences = [abs(p.probability - probabilities[p.index]) for p in found.predictions if p.index in probabilities]
    norms = [(a.gradient_norm, b.gradient_norm) for a, b in zip(found.gradients, exact.gradients, strict=True)]
    # A value that overflows only in the faster precision counts as infinitely wrong.
    relative = [abs(a - b) / b if math.isfinite(a) else math.inf for a, b in norms if math.isfinite(b) and b > 0]
    return PrecisionError(max(differences, default=0.0), max(relative, default=0.0))
