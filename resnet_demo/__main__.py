"""The command line: `python -m resnet_demo --help`."""

import io
import os
import sys
import warnings

import typer

from resnet_demo.commands import catalogue, laboratory, page, photos, training
from resnet_demo.commands.console import warn
from resnet_demo.errors import FULL, InputError

app = typer.Typer(
    name="python -m resnet_demo",
    help="See what residual connections do: the five most probable classes, Grad-CAM and the gradient norm of every "
    "layer, for your own photos and for residual networks and their plain (no-shortcut) twins.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for command in (page.page, catalogue.models, photos.analyze, catalogue.download):
    app.command()(command)
for command in (training.train, training.evaluate, training.results, training.race):
    app.command()(command)
for command in (laboratory.gradient_flow, laboratory.lesion, laboratory.trained_flow, laboratory.landscape):
    app.command()(command)


def main() -> None:
    """Run the command line; an `InputError` becomes one sentence on stderr and exit code 2."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # Warnings of Pillow and torch about odd files are not for the user.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # File names may not be encodable in the terminal.
    try:
        app()
    except InputError as error:
        warn(str(error))
        sys.exit(2)
    except OSError as error:
        if error.errno not in FULL:
            raise
        warn(f"The output could not be written in full: {error.strerror}.")
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # Flushing the rest of the buffer would fail again.
        sys.exit(2)


if __name__ == "__main__":
    main()
