"""Classes and layers by the names that people give them."""

import re

from resnet_demo.errors import InputError, did_you_mean, quoted, shortened


def find_class(target: int | str, labels: tuple[str, ...]) -> int:
    """The index of a class given by index or label. Labels may differ from each other by case only, so an exact match
    goes first; `InputError` lists the candidates when there is more than one, or the closest when there is none."""
    if isinstance(target, str) and not re.fullmatch(r"\s*-?[0-9]{1,9}\s*", target):
        exact = [i for i, label in enumerate(labels) if label == target]
        found = exact or [i for i, label in enumerate(labels) if label.lower() == target.strip().lower()]
        if len(found) == 1:
            return found[0]
        if found:
            raise InputError(f"{quoted(target)} names the classes {', '.join(map(str, found))}: give the index.")
        hint = did_you_mean(target, labels)
        raise InputError(f"No class is called {quoted(target)}.{hint} Give a label or an index below {len(labels)}.")
    index = int(target)
    if not 0 <= index < len(labels):
        last = len(labels) - 1
        raise InputError(f"Class {shortened(index)} does not exist: give a label or an index from 0 to {last}.")
    return index


def find_layer(layer: str | None, layers: tuple[str, ...]) -> str:
    """The traced layer called `layer`; a stage means its last block, None the last block of all."""
    if not layer:
        return layers[-1]
    stage = [name for name in layers if name == layer or name.startswith(f"{layer}.")]
    if not stage:
        raise InputError(f"There is no layer {quoted(layer)} to explain: choose one of {', '.join(layers)}.")
    return stage[-1]
