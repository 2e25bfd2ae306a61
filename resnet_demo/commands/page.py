"""The command that opens the page."""

import os
import sys
import warnings
from pathlib import Path
from typing import Annotated, Any

import typer

from resnet_demo import ui, zoo
from resnet_demo.commands.console import Device, Offline, Weights
from resnet_demo.errors import InputError
from resnet_demo.memory import made_to_stay, reuse_freed_memory


def page(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 lets other machines in.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; the next free one from 7860 unless given.", min=0, max=65535)] = 0,
    share: Annotated[bool, typer.Option("--share", help="Open a public link through Gradio's servers.")] = False,
    model: Annotated[
        str | None, typer.Option(help="Initial model of the page; resnet56.cifar100 if it is available.")
    ] = None,
    offline: Offline = False,
    open_: Annotated[bool, typer.Option("--open", help="Also open the page in this machine's browser.")] = False,
    device: Device = "auto",
    name: Annotated[
        list[str] | None, typer.Option(help="Host name of the page behind a proxy; may be given repeatedly.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="CIFAR-10 as an .npz or a folder, for live training.")] = None,
    weights: Weights = None,
) -> None:
    """Open the page: analyze your photos with a residual network or its plain twin."""
    if share and zoo.is_offline(offline):
        raise InputError("--share needs the network, and this is offline: leave one of the two out.")
    if share:
        print("Anyone with the public link can use this machine through the page until it is stopped.")
    if data and not os.path.exists(data):  # noqa: PTH110 - Path.exists raises where a name is too long
        raise InputError(f"There is no {data}: give --data an .npz or a folder with the images of CIFAR-10.")
    # Captum warns at each use; its hooks are on a temporary copy of the network.
    warnings.filterwarnings("ignore", message="Setting backward hooks on ReLU")
    reuse_freed_memory()
    with made_to_stay():
        catalogue = zoo.open_catalogue(weights)
        cache = zoo.ModelCache(str(zoo.pick_device(device)), offline, catalogue=catalogue)
        ui.share_cores()
        serve = ui.serve  # Imports Gradio.

    @made_to_stay()
    def build() -> Any:
        return ui.build_page(cache, model, data)

    serve(build, host, port or None, share, open_, name or ())
    sys.stdout.flush()
    os._exit(0)  # An abandoned download in a thread would keep the process alive for minutes.
