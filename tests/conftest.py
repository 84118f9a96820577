"""Files beside the tests that hold none and import PyTorch; where compiled code is kept."""

import os
import tempfile

collect_ignore_glob = ["harness_torch.py", "references/make_*.py"]

# Tests leave nothing in the user's own directory of caches; this one is removed at the end.
_code = tempfile.TemporaryDirectory(prefix="adjoint-tests-")
os.environ["ADJOINT_CACHE_DIR"] = _code.name
