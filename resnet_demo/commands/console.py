"""Options, output and progress bars shared by all commands."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from resnet_demo import zoo
from resnet_demo.errors import InputError, visible

PIPE_WIDTH = 200
errors = Console(stderr=True, highlight=False)

# Cards keep it, and torch takes it for every epoch of a run.
LARGEST_SEED = 2**32 - 1
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
Offline = Annotated[bool, typer.Option("--offline", help="Never touch the network (also RESNET_DEMO_OFFLINE=1).")]
Weights = Annotated[Path | None, typer.Option(help="Folder of networks that you trained (also RESNET_DEMO_WEIGHTS).")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Data = Annotated[Path | None, typer.Option(help="An .npz, or a folder with train/ and test/.")]


def out() -> Console:
    """A console that never wraps lines, so that programs reading from a pipe get them whole."""
    return Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else PIPE_WIDTH)


def say(text: str) -> None:
    """Print a text literally: control characters are escaped, and brackets are not markup."""
    out().print("\n".join(map(visible, text.split("\n"))), markup=False)


def warn(text: str) -> None:
    """As `say`, on one line of stderr."""
    errors.print(visible(text), markup=False, soft_wrap=True)


def print_json(value: Any, one_line: bool = False) -> None:
    # In a single write, as several processes may print at the same time.
    sys.stdout.write(json.dumps(value, indent=None if one_line else 1, allow_nan=False) + "\n")
    sys.stdout.flush()


def make_folder(path: Path) -> None:
    """Make the output folder `path`. Raises `InputError` when that is not possible or it is not writable."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"The folder {path} cannot be created: {error.strerror}.") from error
    if not os.access(path, os.W_OK):
        raise InputError(f"{path} cannot be written: choose another folder.")


def require_file(path: Path) -> None:
    """Raises `InputError`, before any work is done, when results cannot be written to a file at `path`."""
    if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises where a name is too long
        raise InputError(f"{path} is a folder: give the name of a file.")
    if not os.path.isdir(path.parent):  # noqa: PTH112
        raise InputError(f"There is no folder {path.parent}: create it, or write to another one.")


def tracked(items: Iterable[Any], total: int, what: str, quiet: bool) -> Iterator[Any]:
    """The items, with a progress bar on stderr if there are several and stderr is a terminal."""
    with progress(TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()) as bar:
        yield from bar.track(items, total=total) if total > 1 and not quiet else items


@contextmanager
def fetching(name: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar for a download, which appears with the first bytes."""
    with progress(TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn()) as bar:
        tasks: list[Any] = []

        def report(done: int, total: int) -> None:
            if not tasks:
                tasks.append(bar.add_task(name, total=total))
            bar.update(tasks[0], completed=done, description=zoo.progress_text(name, done, total))

        yield report


def progress(*columns: Any) -> Progress:
    return Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal)
