"""LLVM's intermediate language for steps, written as text: what is quickest to make and to read."""
