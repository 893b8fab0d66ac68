"""The table of other products' failures is whole, and no test that it names is gone."""

import ast
import tomllib
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parents[1]
TABLE: dict[str, dict[str, Any]] = tomllib.loads((TESTS / "failures.toml").read_text())
ALL = [f"F{number:02}" for number in range(1, 56)]
NAMED = [(key, name) for key, row in TABLE.items() for name in row.get("tests", [])]


def test_every_failure_has_its_row_in_order() -> None:
    assert list(TABLE) == ALL


@pytest.mark.parametrize("key", ALL)
def test_a_failure_is_ruled_out_by_a_test_or_by_design(key: str) -> None:
    row = TABLE[key]

    assert row["failure"].endswith(".")
    assert row.get("tests") or row.get("because")
    assert row.keys() <= {"failure", "tests", "because"}


@pytest.mark.parametrize(("key", "name"), NAMED)
def test_what_the_table_names_is_there(key: str, name: str) -> None:
    path, *inside = name.split("::")
    scope: ast.AST = ast.parse((TESTS / path).read_text())
    for part in inside:
        scope = _member(scope, part, where=f"{key}: {name}")
    if not inside:
        assert any(node.name.startswith("test_") for node in _functions(scope))


def _member(scope: ast.AST, name: str, *, where: str) -> ast.AST:
    kinds = (ast.FunctionDef, ast.ClassDef)
    for node in ast.iter_child_nodes(scope):
        if isinstance(node, kinds) and node.name == name:
            return node
    pytest.fail(f"{where} is gone")


def _functions(scope: ast.AST) -> list[ast.FunctionDef]:
    return [node for node in ast.walk(scope) if isinstance(node, ast.FunctionDef)]
