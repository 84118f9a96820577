"""The command line: what it prints, leaves behind, and says to words it does not know."""

import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

from adjoint import cli
from adjoint.version import __version__


def run(*arguments, cwd=None):
    return subprocess.run(
        [sys.executable, "-m", "adjoint", *arguments],
        capture_output=True, text=True, check=False, cwd=cwd,
    )  # fmt: skip


def test_info_names_versions_blas_and_parts(capsys):
    assert cli.main(["info"]) == 0
    lines = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert lines["adjoint"] == __version__
    assert {"Python", "NumPy", "BLAS", "threads", "scipy", "llvmlite", "matplotlib"} <= set(lines)


def test_tour_tells_the_story_and_leaves_pictures(tmp_path):
    found = run("tour", "--epochs", "2", "--output", "pictures", cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    for words in ("loss = tensor(", "BinaryCrossEntropyWithLogits", "w.grad = tensor(", "held out"):
        assert words in found.stdout
    folder = tmp_path / "pictures"
    assert {path.name for path in folder.iterdir()} == {
        "graph.svg", "graph.mmd", "training.png", "mistakes.png",
    }  # fmt: skip
    ET.parse(folder / "graph.svg")
    assert (folder / "graph.mmd").read_text().startswith("flowchart")
    for name in ("training.png", "mistakes.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tuor"], "invalid choice: 'tuor'"),
        (["tour", "--epochs", "0"], "'0' is not a whole number of at least 1"),
        (["tour", "--epochs", "two"], "'two' is not a whole number"),
        (["tour", "--seed=-1"], "'-1' is not a whole number of at least 0, below 2**64"),
        (["tour", "--seed", str(2**64)], "is not a whole number of at least 0, below 2**64"),
        (["tour", "--colour"], "unrecognized arguments: --colour"),
        (["info", "more"], "unrecognized arguments: more"),
    ],
)
def test_unknown_words_are_refused_with_status_2(arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(arguments)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


def test_no_command_prints_the_help(capsys):
    assert cli.main([]) == 2
    assert "tour" in capsys.readouterr().out


def test_a_folder_that_cannot_be_made(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert cli.main(["tour", "--output", str(tmp_path / "file" / "inside")]) == 1
    assert "cannot write to" in capsys.readouterr().err


def test_missing_libraries_are_named(monkeypatch, capsys):
    monkeypatch.setattr(cli.information, "missing", lambda *_: ["matplotlib"])
    assert cli.main(["tour"]) == 1
    assert "pip install 'adjoint[tour]'" in capsys.readouterr().err
