"""The notebook runs from its first cell to its last."""

import nbclient
import nbformat

from conftest import ROOT


def test_the_notebook_runs():
    notebook = nbformat.read(ROOT / "examples" / "notebook.ipynb", as_version=4)
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": ROOT / "examples"}}).execute()
    shown = [output for cell in notebook.cells for output in cell.get("outputs", []) if "data" in output]
    assert any("<iframe srcdoc" in output["data"].get("text/html", "") for output in shown)
    assert len(shown) >= 7
