"""Machine code in memory: loading it, and calling it."""
