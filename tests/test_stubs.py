"""What the stubs say that functions return is what they return.

``make generated`` says whether the stubs are up to date.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

import adjoint
from adjoint.tape.tensor import Tensor
from tests.harness import CASES, calls, resolve, seed
from tests.harness_checks import ALL

ROOT = Path(__file__).resolve().parent.parent
# `tools` is no installed package: the import below needs the repository on the path first.
sys.path.insert(0, str(ROOT))

from tools.stub_signatures import signature  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def fits(value: Any, said: str) -> bool:
    """Whether a result is of the type that a stub says."""
    if said in ("_Any", "None"):  # a call that returns None gives what it wrote to
        return True
    if said == "_Tensor":
        return isinstance(value, Tensor)
    if said.startswith("_tuple[_Tensor"):
        return isinstance(value, tuple) and all(isinstance(each, Tensor) for each in value)
    kinds = {"_bool": bool, "_int": int, "_float": float, "_str": str}
    kinds |= {"_dtype": adjoint.dtype, "_Size": adjoint.Size}
    return isinstance(value, kinds[said])


@pytest.mark.parametrize("key", ALL)
def test_results_are_what_the_stubs_say(key: str) -> None:
    name = CASES[key].function
    function = resolve(adjoint, name)
    line = signature(function, name.rpartition(".")[2], method=False)
    (said,) = re.findall(r"-> (.*): \.\.\.$", line)
    for call in calls(key):
        seed(call)
        leaves = [adjoint.tensor(leaf) for leaf in call.leaves]
        assert fits(call.run(function, leaves), said), f"{line}\n{call}"
