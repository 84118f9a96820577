"""Random programs, run by PyTorch and by Adjoint: ``python -m tests.parity.programs --help``.

``vocabulary`` has the statements and ``functions`` what is done with functions; ``growing`` puts a
program together beside PyTorch; ``running`` carries it out in either library and looks at
everything after each statement; ``comparing`` says where the two differ, and ``reducing`` makes a
program that differs short.
"""
