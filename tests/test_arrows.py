"""Which package may import which. Imports are read from the source, so that lazy ones are included."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "resnet_demo"
# The packages that each package may import; all of them may use `errors`, `files`, `json_files` and `memory`.
MAY_IMPORT = {
    "records": (),
    "networks": ("records",),
    "images": (),
    "zoo": ("records", "networks", "images"),
    "analysis": ("records", "networks", "images", "zoo"),
    "laboratory": ("records", "networks", "images", "zoo", "analysis"),
    "training": ("records", "networks", "images", "zoo", "analysis"),
    "plots": ("records",),
    "ui": ("records", "networks", "images", "zoo", "analysis", "laboratory", "training", "plots"),
    "commands": ("records", "networks", "images", "zoo", "analysis", "laboratory", "training", "plots", "ui"),
}
BASE = ("errors", "files", "json_files", "memory")
# The only places that may import these third-party packages.
ONLY_IN = {
    "gradio": ("ui",),
    "rich": ("commands", "__main__"),
    "typer": ("commands", "__main__"),
    "torch": ("networks", "zoo", "analysis", "laboratory", "training", "commands", "ui"),
    "torchvision": ("zoo", "training"),
    "captum": ("analysis",),
    "matplotlib": ("plots",),
}
# A tab that needs one of these does work that belongs below the page.
NOT_IN_THE_PAGE = {"concurrent", "multiprocessing", "subprocess"}


def place_of(path: Path) -> str:
    """The subpackage of a file, or the file's own name if it is outside of all subpackages."""
    return path.relative_to(PACKAGE).parts[0].partition(".")[0]


def imports_of(path: Path) -> set[str]:
    """Dotted names of everything that a file imports at any level; `from a import b` gives a.b."""
    found = set()
    package = ["resnet_demo", *path.relative_to(PACKAGE).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            relative = package[: len(package) + 1 - node.level] if node.level else []
            module = ".".join([*relative, *filter(None, [node.module])])
            found |= {f"{module}.{alias.name}" for alias in node.names}
    return found


def places_imported_by(path: Path) -> set[str]:
    """The subpackages, and the modules outside of them, that a file imports; "the front door" is the package itself."""
    own = [name.split(".") for name in imports_of(path) if name.split(".")[0] == "resnet_demo"]
    return {parts[1] if parts[1:2] and parts[1] in {*MAY_IMPORT, *BASE} else "the front door" for parts in own}


def allowed_places(place: str) -> set[str]:
    if place == "__main__":
        return {*MAY_IMPORT, *BASE}
    if place == "__init__":  # The public API.
        return {*MAY_IMPORT, *BASE} - {"commands", "ui"}
    return {*BASE} if place in BASE else {place, *BASE, *MAY_IMPORT[place]}


FILES = sorted(path for path in PACKAGE.rglob("*.py*") if path.suffix in (".py", ".pyi"))


def offenders(wrong_in) -> dict[str, set[str]]:
    """The problems that `wrong_in` finds, by file."""
    return {str(path.relative_to(PACKAGE)): wrong for path in FILES if (wrong := wrong_in(path))}


def test_every_folder_of_code_is_a_room():
    assert {path.parent.name for path in PACKAGE.glob("*/__init__.py")} == set(MAY_IMPORT)


def test_arrows_point_one_way():
    assert offenders(lambda path: places_imported_by(path) - allowed_places(place_of(path))) == {}


def test_each_package_is_used_where_it_belongs():
    def strangers(path):
        packages, place = {name.partition(".")[0] for name in imports_of(path)}, place_of(path)
        found = {package for package in packages if place not in ONLY_IN.get(package, (place,))}
        return found | (packages & NOT_IN_THE_PAGE if place == "ui" else set())

    assert offenders(strangers) == {}


def test_nothing_has_the_name_of_its_module():
    """Otherwise a public name would mean the module or the function, depending on the order of imports."""

    def namesakes(path):
        nodes = ast.parse(path.read_text(encoding="utf-8")).body
        names = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        return {path.stem} & names if place_of(path) != "commands" else set()  # Commands are not imported by name.

    assert offenders(namesakes) == {}
