"""Programs made into machine code: traced, lowered to loops, emitted by LLVM."""
