"""Finding classes and layers by name."""

import re

from resnet_demo.errors import InputError, did_you_mean, quoted, shortened


def find_class(target: int | str, labels: tuple[str, ...]) -> int:
    """The index of a class given by index or label. Labels may differ by case only, and classes may be called by
    numbers, so an exact match of a label takes precedence; an int is always an index. Raises `InputError` that lists
    the candidates if there are several, or the closest labels if there are none."""
    exact = [i for i, label in enumerate(labels) if label == target]
    if len(exact) == 1:
        return exact[0]
    if isinstance(target, str) and not re.fullmatch(r"\s*-?[0-9]{1,9}\s*", target):
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
    """The traced layer called `layer`; a stage means its last block, None the last block of the network."""
    if not layer:
        return layers[-1]
    stage = [name for name in layers if name == layer or name.startswith(f"{layer}.")]
    if not stage:
        raise InputError(f"There is no layer {quoted(layer)} to explain: choose one of {', '.join(layers)}.")
    return stage[-1]
