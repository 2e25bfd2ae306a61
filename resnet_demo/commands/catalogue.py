"""Commands for the catalogue: models, download."""

from typing import Annotated, Any

import typer
from rich.table import Table

from resnet_demo import zoo
from resnet_demo.commands import console
from resnet_demo.commands.console import Json, Offline, Weights, fetching, print_json
from resnet_demo.errors import InputError


def models(as_json: Json = False, weights: Weights = None) -> None:
    """List the available models with the state of their weights, their parameters and their measured test error."""
    rows: list[dict[str, Any]] = []
    for entry in zoo.list_models(weights):
        # Only the name of a damaged entry is known.
        parameters = None if entry.problem else entry.parameters
        row: dict[str, Any] = {"name": entry.name, "state": str(zoo.weight_state(entry)), "parameters": parameters}
        made_from = entry.origin.name if entry.origin is not entry else None
        rows.append(row | {"test_error": entry.test_error, "made_from": made_from})
    if as_json:
        print_json(rows)
        return
    table = Table("model", "weights", "parameters", "test error %", title="Models")
    for row in rows:
        error = "-" if row["test_error"] is None else f"{row['test_error']:.2f}"
        parameters = "-" if row["parameters"] is None else f"{row['parameters']:,}"
        source = f", made from {row['made_from']}" if row["made_from"] else ""
        table.add_row(row["name"], row["state"] + source, parameters, error)
    console.out().print(table, soft_wrap=False)
    console.say("Any other architecture is available as NAME.untrained, e.g. resnet34-C.untrained.")


def download(
    names: Annotated[list[str] | None, typer.Argument(help="Names from `models`.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Everything that can be fetched (2 GB).")] = False,
    offline: Offline = False,
) -> None:
    """Download weights now, so that no connection is needed later."""
    listed = zoo.list_models() if all_ else ()
    entries = [entry for entry in listed if entry.from_torchvision and entry.origin is entry]
    entries += [zoo.find_entry(name) for name in names or []]
    if not entries:
        raise InputError("Name the models to download, or use --all.")
    for entry in entries:
        if not entry.from_torchvision:
            console.say(f"{entry.name}: nothing to fetch")
            continue
        with fetching(entry.name) as progress:
            path = zoo.fetch_entry(entry, offline, progress)
        console.say(f"{entry.name}: {path}")
