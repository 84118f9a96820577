"""``python -m adjoint``: the command line."""

import sys

from adjoint.cli import main

sys.exit(main())
