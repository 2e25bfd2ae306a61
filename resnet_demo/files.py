"""Writing files that no reader, kill or power failure ever finds half written."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from resnet_demo.errors import writing


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file that takes the place of `path` at the end of the block, when all of it is on the disk. Raises `InputError`
    when that is not possible; what was there before is then left."""
    partial = path.with_name(f"{path.name}.partial")
    with writing(path):
        with partial.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # Otherwise the name can survive a power failure without the content.
        os.replace(partial, path)
