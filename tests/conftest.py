"""Files beside the tests that hold none, and that import PyTorch."""

collect_ignore_glob = ["harness_torch.py", "references/make_*.py"]
