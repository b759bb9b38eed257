"""Names that do not stand in the code reach polars by `outlearn.data.named` alone."""

import ast
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "outlearn"
DOOR = SOURCE / "data" / "named.py"
#: Calls that take names for patterns, as methods of a frame or an expression and as functions of polars.
TAKE_PATTERNS = {
    "agg", "drop", "drop_nans", "drop_nulls", "explode", "field", "group_by", "join", "join_asof", "over",
    "select", "sort", "sort_by", "top_k", "unique", "unnest", "unpivot", "with_columns",
}  # fmt: skip
FUNCTIONS = {
    "all_horizontal", "any_horizontal", "coalesce", "concat_list", "concat_str", "exclude", "first", "format",
    "last", "max_horizontal", "min_horizontal", "struct", "sum_horizontal",
}  # fmt: skip
KEYWORDS = {"by", "index", "left_on", "on", "right_on", "subset"}
NAMES = {"name", "names", "key", "keys", "columns", "channels"}  # attributes that hold names
LIKE_NAMES = {"dict", "list", "set", "sorted", "str", "tuple"}  # calls that give what they are given


def _bindings(name: str, scopes: list[ast.AST]) -> list[ast.AST | str]:
    """Return what a name is given in the innermost scope that binds it: values, or annotations as text."""
    return next((bound[name] for bound in map(_bound, scopes) if name in bound), [])


@cache
def _bound(scope: ast.AST) -> dict[str, list[ast.AST | str]]:
    bound = defaultdict[str, list[ast.AST | str]](list)
    if isinstance(scope, ast.FunctionDef | ast.Lambda):
        for given in (*scope.args.posonlyargs, *scope.args.args, *scope.args.kwonlyargs):
            bound[given.arg].append(ast.unparse(given.annotation) if given.annotation else "")
    for node in scope.body if isinstance(scope, ast.Module) else ast.walk(scope):
        match node:
            case ast.Assign(targets=targets, value=value):
                pairs = [(target, value) for target in targets]
            case ast.AnnAssign(target=target, annotation=annotation):
                pairs = [(target, ast.unparse(annotation))]
            case ast.For(target=target, iter=value) | ast.comprehension(target=target, iter=value):
                pairs = [(target, value)]
            case ast.NamedExpr(target=target, value=value):
                pairs = [(target, value)]
            case _:
                pairs = []
        for target, value in pairs:
            for part in ast.walk(target):
                if isinstance(part, ast.Name):
                    bound[part.id].append(value)
    return dict(bound)


def _holds_names(node: ast.AST | str, scopes: list[ast.AST], depth: int = 0) -> bool:
    """Tell whether an argument is made of names that come with the data."""
    if isinstance(node, str):  # an annotation
        return "str" in node and not any(word in node for word in ("Expr", "Series", "Frame"))
    if depth > 8:
        return False

    def inside(part: ast.AST) -> bool:
        return _holds_names(part, scopes, depth + 1)

    match node:
        case ast.Name(id=name):
            return any(map(inside, _bindings(name, scopes)))
        case ast.Attribute(attr=attribute):
            return attribute in NAMES
        case ast.JoinedStr():
            return True
        case ast.Starred(value=part) | ast.Subscript(value=part):
            return inside(part)
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            return any(map(inside, parts))
        case ast.ListComp(elt=part) | ast.GeneratorExp(elt=part) | ast.SetComp(elt=part):
            return inside(part)
        case ast.BinOp(left=left, right=right):
            return inside(left) or inside(right)
        case ast.IfExp(body=left, orelse=right):
            return inside(left) or inside(right)
        case ast.Call(func=ast.Name(id=name), args=parts) if name in LIKE_NAMES:
            return any(map(inside, parts))
        case ast.Call(func=ast.Attribute(attr="keys" | "values" | "items" | "columns")):
            return True
    return False


def _offences(source: str) -> list[str]:
    """Return the calls of a module in which names from elsewhere may be taken for patterns."""
    found: list[str] = []

    def visit(node: ast.AST, scopes: list[ast.AST]) -> None:
        if isinstance(node, ast.FunctionDef | ast.Lambda):
            scopes = [node, *scopes]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            of_polars = isinstance(node.func.value, ast.Name) and node.func.value.id in ("pl", "nw")
            given = [*node.args, *(word.value for word in node.keywords if word.arg in {None, *KEYWORDS})]
            name = node.func.attr
            if of_polars and name == "col":
                wrong = not all(_stands_there(part, scopes) for part in given)
            elif name in (FUNCTIONS if of_polars else TAKE_PATTERNS) and not _is_no_frame(node.func.value):
                wrong = any(_holds_names(part, scopes) for part in given)
            else:
                wrong = False
            if wrong:
                found.append(f"{node.lineno}: {ast.unparse(node)}")
        for child in ast.iter_child_nodes(node):
            visit(child, scopes)

    tree = ast.parse(source)
    visit(tree, [tree])
    return found


def _stands_there(node: ast.AST, scopes: list[ast.AST]) -> bool:
    """Tell whether an argument is text in the code, or a name that stands for nothing else."""
    if isinstance(node, ast.Name):
        bound = _bindings(node.id, scopes)
        return bool(bound) and all(not isinstance(b, str) and _stands_there(b, scopes) for b in bound)
    if isinstance(node, ast.Tuple | ast.List):
        return all(_stands_there(part, scopes) for part in node.elts)
    if isinstance(node, ast.Attribute):  # a type, such as pl.String
        return isinstance(node.value, ast.Name) and node.value.id == "pl"
    return isinstance(node, ast.Constant)


def _is_no_frame(node: ast.AST) -> bool:
    """Tell whether a method is of text, of numpy, of a path or the like."""
    roots = ("np", "os", "shlex", "torch")
    return isinstance(node, ast.Constant | ast.JoinedStr) or (isinstance(node, ast.Name) and node.id in roots)


MODULES = [path for path in sorted(SOURCE.rglob("*.py")) if path != DOOR and "polars" in path.read_text()]


def test_no_name_from_elsewhere_is_taken_for_a_pattern():
    offences = {str(path.relative_to(SOURCE)): _offences(path.read_text()) for path in MODULES}
    assert len(MODULES) > 100
    assert {path: lines for path, lines in offences.items() if lines} == {}


@pytest.mark.parametrize(
    "line",
    [
        "frame.select(names)",
        "frame.select([*names, 'a'])",
        "frame.drop(name)",
        "frame.sort(by=name)",
        "frame.select(pl.col(name).sum())",
        "frame.select(pl.col(f'{name}.x'))",
        "frame.join(other, on=list(names))",
        "frame.select(schema.names)",
        "frame.unique(subset=frame.columns)",
        "frame.select([n for n in names if n])",
        "pl.concat_str(names)",
        "cells.struct.field(name)",
        "frame.group_by(*there.values())",
    ],
)
def test_the_check_sees(line):
    given = "frame: pl.DataFrame, other: pl.DataFrame, names: Sequence[str], name: str, there: dict[str, str]"
    head = f"def f({given}):"
    assert _offences(f"{head}\n    return {line}\n")


@pytest.mark.parametrize(
    "line",
    [
        "frame.select('a', pl.col('b'))",
        "frame.select(A)",
        "frame.select(by_name(name))",
        "frame.filter(frame[name] > 0)",
        "frame.with_columns(cells)",
        "', '.join(names)",
        "pl.col(A)",
    ],
)
def test_the_check_lets_pass(line):
    head = "A = 'a'\ndef f(frame: pl.DataFrame, cells: pl.Series, names: Sequence[str], name: str):"
    assert not _offences(f"{head}\n    return {line}\n")
