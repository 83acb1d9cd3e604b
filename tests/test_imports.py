"""Imports point one way, and heavy packages stay where they belong."""

import ast
from pathlib import Path

import pytest

from bench import plugins

PACKAGE = Path(__file__).parent.parent / "bench"

LAYERS = [
    {"columns", "duration"},
    {"errors", "seeds", "options", "process", "machine", "signals", "__init__"},
    {"journal", "cell", "lock", "provenance", "image", "objective", "algorithm", "engine", "data"},
    {
        *{"space", "conditions", "overrides", "corners", "encoding", "curves", "curve_table"},
        *{"plugins", "objectives"},
    },
    {"algorithms", "suite", "metrics", "field", "scores", "surrogate", "quality", "known_error"},
    {"recommend"},
    {"engines", "results", "report"},
    {"run", "tables", "estimate", "audit", "check", "recording", "validation", "slurm", "export"},
    {"progress"},
    {"cli"},
    {"__main__"},
]
"""A file imports from its own layer and those above it here, never from one below."""


def files() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py"))


def layer(module: str) -> int:
    return next(index for index, names in enumerate(LAYERS) if module in names)


def imports(path: Path, top_level_only: bool = False) -> list[str]:
    """Modules that a file imports at run time, anywhere in it or at its top level."""
    tree = ast.parse(path.read_text())
    found = []
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            skipped.update(child for part in node.body for child in ast.walk(part))
        if top_level_only and isinstance(node, ast.FunctionDef):
            skipped.update(ast.walk(node))
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            whole = node.module == "bench"
            found += [f"bench.{alias.name}" for alias in node.names] if whole else [node.module]
    return found


def part(path: Path) -> str:
    """The file's or folder's name right below the package."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_one_way(path: Path) -> None:
    for name in imports(path):
        if name.startswith("bench."):
            target = name.split(".")[1]
            if target == "__version__":
                continue
            assert layer(target) <= layer(part(path)), f"{path} imports {name}"


@pytest.mark.parametrize("kind", ["algorithms", "objectives", "engines", "metrics"])
def test_plugins_do_not_import_each_other(kind: str) -> None:
    for path in (PACKAGE / kind).glob("*.py"):
        for name in imports(path):
            if name.startswith(f"bench.{kind}."):
                assert name.split(".")[2].startswith("_"), f"{path} imports {name}"


def test_torch_is_imported_by_objectives_and_ray_by_what_drives_algorithms() -> None:
    for path in files():
        heavy = {name.split(".")[0] for name in imports(path)} & {"torch", "ray", "optuna"}
        allowed = {
            "objectives": {"torch"},
            "algorithms": {"ray", "optuna", "torch"},  # torch: the generator that HEBO draws from
            "engines": {"ray", "optuna"},
            "audit": {"ray"},
            "export": {"optuna"},
            "metrics": {"optuna"},  # importances
            "recording": {"ray"},  # the searcher that goes through a list
            "slurm": {"ray"},  # the address that it would give this node
            "space": {"ray", "optuna"},  # the conversions to native spaces, inside functions
        }
        assert heavy <= allowed.get(part(path), set()), path


@pytest.mark.parametrize("kind", ["algorithms", "objectives", "engines"])
def test_naming_a_plugin_imports_nothing_heavy(kind: str) -> None:
    for name in plugins.names(kind):
        path = PACKAGE / kind / f"{name}.py"
        roots = {each.split(".")[0] for each in imports(path, top_level_only=True)}
        assert not roots & {"torch", "ray", "optuna", "ConfigSpace", "pandas", "numpy"}, path


def test_files_are_small() -> None:
    for path in files():
        assert len(path.read_text().splitlines()) <= 300, path
