"""The files that the page is made of: short, each language in files of its own, and CSS without mistakes.

`make check` lints the JavaScript. No linter of CSS comes from PyPI for every machine, so what a parser sees is here.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import tinycss2
from tinycss2.ast import AtRule, Declaration, Node, ParseError

from tests.page_server import ROOT

UI = ROOT / "resnet_demo" / "ui"
FILES = sorted(path for path in UI.rglob("*") if path.suffix in {".py", ".js", ".css", ".html"})
AT_RULES = {"container", "font-face", "keyframes", "layer", "media", "supports"}
INLINE = re.compile(r"<script|\bonclick=")
SCRIPT = re.compile(r"=>|\bfunction\b.*\{|addEventListener|querySelector")


def of_kind(suffix: str) -> list[Path]:
    return [path for path in FILES if path.suffix == suffix]


def name_of(path: Path) -> str:
    return str(path.relative_to(UI))


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_no_file_of_the_page_is_long_and_there_is_little_javascript():
    assert {name_of(path): lines(path) for path in FILES if lines(path) > 250} == {}
    assert 0 < sum(map(lines, of_kind(".js"))) < 500


def misplaced(source: str) -> list[int]:
    """Lines of Python code with a literal that has HTML's handlers or scripts in it, or a script of several lines."""
    literals = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)]
    return sorted(
        literal.lineno
        for literal in literals
        if isinstance(literal.value, str)
        and (INLINE.search(literal.value) or (literal.lineno < literal.end_lineno and SCRIPT.search(literal.value)))
    )


@pytest.mark.parametrize("path", of_kind(".py"), ids=name_of)
def test_scripts_are_not_inside_python(path):
    assert misplaced(path.read_text(encoding="utf-8")) == []


def test_misplaced_scripts_are_found():
    assert misplaced('FOLLOW = "(there, here) => there || here"') == []
    assert misplaced('A = "<script src=x>"\nB = f"<a onclick={A}>"\nC = """\n() => 1"""') == [1, 2, 3]
    assert misplaced('HTML(js_on_load="const a = 1;"\n  "element.addEventListener(a)")') == [1]


def mistakes(nodes: list[Node]) -> Iterator[str]:
    """What a browser would skip without a word, of a style sheet or a block."""
    for node in nodes:
        if isinstance(node, ParseError):
            yield f"line {node.source_line}: {node.message}"
        elif isinstance(node, Declaration):
            # A colon is in no value but where the semicolon before it is missing.
            if any(value.type == "error" or (value == ":" and node.name[:2] != "--") for value in node.value):
                yield f"line {node.source_line}: the value of {node.name}"
        else:
            if isinstance(node, AtRule) and node.lower_at_keyword not in AT_RULES:
                yield f"line {node.source_line}: @{node.at_keyword}"
            yield from mistakes(tinycss2.parse_blocks_contents(node.content or [], True, True))


def mistakes_in(css: str) -> list[str]:
    return list(mistakes(tinycss2.parse_stylesheet(css, True, True)))


@pytest.mark.parametrize("path", of_kind(".css"), ids=name_of)
def test_css_has_no_mistakes(path):
    assert mistakes_in(path.read_text(encoding="utf-8")) == []


def test_mistakes_in_css_are_found():
    assert mistakes_in("a { color: red; &:hover { top: 0 } } @media (width > 1px) { a:hover { --a: b:c } }") == []
    assert mistakes_in("@media print { a { color: red top: 0 } }") == ["line 1: the value of color"]
    for css in ("a { color }", "a { color: red }}", "@medai print { a { top: 0 } }", "a { b: 'c\n' }", "a, b"):
        assert len(mistakes_in(css)) == 1, css
