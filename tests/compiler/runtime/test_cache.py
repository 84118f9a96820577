"""Code on disk: found again by whoever asks for the same, and by nobody else."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import adjoint as torch
from adjoint.compiler.program import Program
from adjoint.compiler.runtime import cache, storage
from adjoint.compiler.runtime.executable import Executable
from tests.compiler.programs import program_of

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("ADJOINT_CACHE_DIR", str(tmp_path))
    monkeypatch.delenv("ADJOINT_CACHE_SIZE", raising=False)
    return tmp_path


def program(size: int = 3, number: float = 2.0) -> Program:
    return program_of(lambda x: torch.exp(x) * number + torch.ones(size), torch.ones(size))


def test_code_is_found_again(folder):
    first, second = Executable(program(), effort=1), Executable(program(), effort=1)
    assert (first.from_cache, second.from_cache) == (False, True)
    assert len(list(folder.iterdir())) == 1
    x = np.arange(3, dtype=np.float32)
    np.testing.assert_array_equal(first(x)[0], second(x)[0])


def test_other_programs_are_others(folder):
    paths = {
        cache.path_of(each, effort)
        for each, effort in [
            (program(), 1),
            (program(), 3),
            (program(4), 1),
            (program(3, 3.0), 1),
            (program_of(lambda x: torch.exp(x) * 2 + torch.ones(3), torch.ones(3).double()), 1),
            (program_of(lambda x: torch.exp(x) * torch.ones(3) + 2.0, torch.ones(3)), 1),
            (
                program_of(lambda x: torch.exp(x) * 2.0 + torch.tensor([1.0, 2, 3]), torch.ones(3)),
                1,
            ),
            (program_of(lambda x: torch.sin(x) * 2.0 + torch.ones(3), torch.ones(3)), 1),
            (program_of(lambda x: (torch.exp(x) * 2.0 + 1,), torch.ones(3), writes={0: 0}), 1),
            (program_of(lambda x: (torch.exp(x) * 2.0 + 1,), torch.ones(3)), 1),
        ]
    }
    assert len(paths) == 10
    assert None not in paths


@pytest.mark.parametrize("damage", [b"", b"x" * 10, None])
def test_a_damaged_file_is_made_anew(folder, damage):
    Executable(program(), effort=1)
    (path,) = folder.iterdir()
    good = path.read_bytes()
    path.write_bytes(good[:-7] + b"changed" if damage is None else damage)
    executable = Executable(program(), effort=1)
    assert not executable.from_cache
    np.testing.assert_allclose(executable(np.zeros(3, np.float32))[0], 3)
    assert Executable(program(), effort=1).from_cache


def test_a_pickle_of_something_else_is_refused(folder):
    path = cache.path_of(program(), 1)
    storage.write(path, cache.pickled(("no", "code")))
    assert storage.read(path) is not None
    assert cache.read(path) is None


def test_it_can_be_switched_off_and_a_folder_that_cannot_be_written_is_no_error(
    folder, monkeypatch
):
    monkeypatch.setenv("ADJOINT_CACHE_SIZE", "0")
    assert not Executable(program(), effort=1).from_cache
    assert list(folder.iterdir()) == []
    monkeypatch.setenv("ADJOINT_CACHE_SIZE", "10")
    (folder / "file").write_text("")
    monkeypatch.setenv("ADJOINT_CACHE_DIR", str(folder / "file" / "below"))
    assert not Executable(program(), effort=1).from_cache


def test_the_oldest_are_removed(folder, monkeypatch):
    for number in range(4):
        Executable(program(number=float(number)), effort=0)
    paths = sorted(folder.iterdir(), key=lambda each: each.stat().st_size)
    largest = paths[-1].stat().st_size
    for age, path in enumerate(paths):
        os.utime(path, (age, age))
    monkeypatch.setenv("ADJOINT_CACHE_SIZE", str(2.5 * largest / storage.MIB))
    Executable(program(number=9.0), effort=0)
    left = set(folder.iterdir())
    assert len(left) == 2
    assert paths[-1] in left


def test_what_no_other_process_can_know_is_not_kept(folder):
    generator = torch.Generator()
    executable = Executable(
        program_of(lambda x: torch.bernoulli(x, generator=generator), torch.ones(3)), effort=0
    )
    assert executable(np.zeros(3, np.float32))[0].tolist() == [0, 0, 0]
    assert list(folder.iterdir()) == []


def test_rows_and_the_default_generator_go_by_name(folder):
    def drawn() -> Executable:
        return Executable(program_of(torch.bernoulli, torch.ones(3)), effort=0)

    assert not drawn().from_cache
    executable = drawn()
    assert executable.from_cache
    half = np.full(3, 0.5, np.float32)
    torch.manual_seed(5)
    found = executable(half)[0]
    torch.manual_seed(5)
    np.testing.assert_array_equal(found, torch.bernoulli(torch.tensor(half)).numpy())


SCRIPT = """
import numpy as np, adjoint as torch
from adjoint.compiler.runtime.executable import Executable
from tests.compiler.programs import program_of
program = program_of(lambda x: torch.tanh(x @ x).sum(0), torch.ones(8, 8))
executable = Executable(program, effort=1)
print(executable.from_cache, executable(np.eye(8, dtype=np.float32))[0].sum())
"""


def run(_: int) -> list[str]:
    out = subprocess.run(
        [sys.executable, "-c", SCRIPT], check=True, capture_output=True, text=True, cwd=ROOT
    )
    return out.stdout.split()


def test_processes_at_once_and_one_after(folder):
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(run, range(3)))
    after = run(0)
    assert after[0] == "True"
    assert {each[1] for each in together} == {after[1]}
    assert len(list(folder.iterdir())) == 1
