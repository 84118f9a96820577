"""Worker threads of compiled programs."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading
import time

import llvmlite.binding as llvm
import pytest

from adjoint.array import threads
from adjoint.compiler.codegen import pool as code
from adjoint.compiler.runtime import pool

TASKS = """
define void @count(ptr %arguments, i64 %chunk) {
  %place = getelementptr i64, ptr %arguments, i64 %chunk
  %before = load i64, ptr %place
  %after = add i64 %before, 1
  store i64 %after, ptr %place
  ret void
}

; Chunks that take a while, so that workers come in time, and begin a region themselves.
define void @nested(ptr %arguments, i64 %chunk) {
entry:
  br label %loop
loop:
  %turn = phi i64 [0, %entry], [%next, %loop]
  %next = add i64 %turn, 1
  store volatile i64 %turn, ptr %arguments
  %end = icmp eq i64 %next, 20000
  br i1 %end, label %inside, label %loop
inside:
  %from = getelementptr i64, ptr %arguments, i64 %chunk
  %region_at = getelementptr i64, ptr %arguments, i64 1
  %region = load ptr, ptr %region_at
  %rows = mul i64 %chunk, 8
  %first = add i64 %rows, 2
  %mine = getelementptr i64, ptr %arguments, i64 %first
  call void %region(ptr @count, ptr %mine, i64 8)
  ret void
}

define void @repeat(ptr %region, ptr %arguments, i64 %chunks, i64 %times) {
entry:
  br label %loop
loop:
  %turn = phi i64 [0, %entry], [%next, %loop]
  call void %region(ptr @count, ptr %arguments, i64 %chunks)
  %next = add i64 %turn, 1
  %end = icmp eq i64 %next, %times
  br i1 %end, label %out, label %loop
out:
  ret void
}
"""


@pytest.fixture(scope="module")
def engine():
    pool.region_address()
    machine = llvm.Target.from_default_triple().create_target_machine(codemodel="jitdefault")
    found = llvm.create_mcjit_compiler(llvm.parse_assembly(TASKS), machine)
    found.finalize_object()
    return found


@pytest.fixture(params=[1, 2, 5])
def count(request):
    before = threads.count()
    threads.set_count(request.param)
    yield request.param
    threads.set_count(before)


def repeat(engine, numbers, chunks, times):
    function = ctypes.CFUNCTYPE(
        None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64
    )
    run = function(engine.get_function_address("repeat"))
    run(pool.region_address(), ctypes.addressof(numbers), chunks, times)


def test_every_chunk_once(engine, count):
    for chunks in (0, 1, 2, 7, 4095, 5000):
        numbers = (ctypes.c_int64 * 5001)()
        repeat(engine, numbers, chunks, 20)
        assert list(numbers) == [20] * chunks + [0] * (5001 - chunks)


def test_after_sleep(engine, count):
    numbers = (ctypes.c_int64 * 8)()
    for _ in range(5):
        time.sleep(0.002)
        repeat(engine, numbers, 8, 3)
    assert list(numbers) == [15] * 8


def test_regions_inside_regions(engine, count):
    numbers = (ctypes.c_int64 * (2 + 16 * 8))()
    numbers[1] = pool.region_address()
    region = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
    run = region(pool.region_address())
    run(engine.get_function_address("nested"), ctypes.addressof(numbers), 16)
    assert list(numbers[2:]) == [1] * 128


def test_threads_at_once(engine, count):
    tables = [(ctypes.c_int64 * 16)() for _ in range(4)]
    workers = [threading.Thread(target=repeat, args=(engine, table, 16, 2000)) for table in tables]
    for each in workers:
        each.start()
    for each in workers:
        each.join(60)
        assert not each.is_alive()
    assert all(list(table) == [2000] * 16 for table in tables)


def test_idle_workers_sleep(engine):
    numbers = (ctypes.c_int64 * 8)()
    repeat(engine, numbers, 8, 10)
    time.sleep(0.01)
    before = time.process_time()
    time.sleep(0.2)
    assert time.process_time() - before < 0.05


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_fork(engine, count):
    numbers = (ctypes.c_int64 * 8)()
    repeat(engine, numbers, 8, 10)
    child = os.fork()
    if child == 0:
        repeat(engine, numbers, 8, 10)
        os._exit(0 if list(numbers) == [20] * 8 else 1)
    assert os.waitpid(child, 0)[1] == 0
    repeat(engine, numbers, 8, 1)
    assert list(numbers) == [11] * 8


def test_exit_while_workers_are_awake():
    script = """
import ctypes
from adjoint.array import threads
from adjoint.compiler.runtime import pool
threads.set_count(4)
address = pool.region_address()
done = []
task = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)(lambda _, chunk: done.append(chunk))
region = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)(address)
region(ctypes.cast(task, ctypes.c_void_p).value, None, 9)
assert sorted(done) == list(range(9)), done
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


@pytest.mark.parametrize(
    ("platform", "triple"),
    [("linux", "aarch64-unknown-linux-gnu"), ("darwin", "arm64-apple-darwin"), ("win32", "x86_64")],
)
def test_text_elsewhere(platform, triple):
    module = llvm.parse_assembly(code.text(platform, triple))
    module.verify()
    assert {"region", "set_threads", "reset", "stop"} <= {each.name for each in module.functions}
