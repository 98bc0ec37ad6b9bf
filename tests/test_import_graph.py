"""What import-linter's contracts in pyproject.toml cannot say of the imports."""

from graphlib import TopologicalSorter

import grimp
import pytest


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    packages = ("components", "sample", "serving", "flows")
    return grimp.build_graph(*packages, include_external_packages=True, cache_dir=None)


def test_no_file_imports_itself_through_others(graph: grimp.ImportGraph) -> None:
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert len(imports) > 300
    TopologicalSorter(imports).prepare()  # raises CycleError, which names the files


def test_only_tracking_imports_mlflow(graph: grimp.ImportGraph) -> None:
    importing = graph.find_modules_that_directly_import("mlflow")
    assert importing
    assert {".".join(module.split(".")[:2]) for module in importing} == {"components.tracking"}
