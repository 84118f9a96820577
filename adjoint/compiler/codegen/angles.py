"""Where a large angle is between multiples of pi/2, by integers.

An angle is M 2^E with an integer M. Of x times 2/pi only the remainder by 4 is of interest, to
which the bits of 2/pi with weights of 4 and more, times 2^E, contribute nothing. So 192 bits from
there on, times M, give it: 2 bits of the multiple, and a fraction that is wrong by less than
2^-136. No float64 comes nearer than 2^-62 to a multiple.
"""

from __future__ import annotations

# The first 1,280 bits of 2/pi. The greatest number needs 1,226 of them.
TWO_OVER_PI = int(
    "a2f9836e4e441529fc2757d1f534ddc0db6295993c439041fe5163abdebbc561"
    "b7246e3a424dd2e006492eea09d1921cfe1deb1cb129a73ee88235f52ebb4484"
    "e99c7026b45f7e413991d639835339f49c845f8bbdf9283b1ff897ffde05980f"
    "ef2f118b5a0a6d1f6d367ecf27cb09b74f463f669e5fea2d7527bac7ebe5f17b"
    "3d0739f78a5292ea6bfb5fb11f8d5d0856033046fc7b6babf0cfbc209af4361d",
    16,
)


def _words() -> list[int]:
    """2/pi in words of 64 bits, after one that is 0."""
    return [0] + [(TWO_OVER_PI >> (1280 - 64 * place)) & (2**64 - 1) for place in range(1, 21)]


ANGLES = f"""
@two_over_pi = internal constant [21 x i64] [{", ".join(f"i64 {each}" for each in _words())}]

define internal {{i64, i64, i64}} @angle(double %x) noinline nounwind willreturn memory(none) {{
entry:
  %bits = bitcast double %x to i64
  %raised = lshr i64 %bits, 52
  %exponent = and i64 %raised, 2047
  %cut = and i64 %bits, 4503599627370495
  %m = or i64 %cut, 4503599627370496
  ; the bit of 2/pi with weight 2 when multiplied by 2^E is E - 1, and the first is after 63 zeros
  %bit = sub i64 %exponent, 1013
  %word = lshr i64 %bit, 6
  %shift = and i64 %bit, 63
  %p0 = getelementptr inbounds [21 x i64], ptr @two_over_pi, i64 0, i64 %word
  %p1 = getelementptr inbounds i64, ptr %p0, i64 1
  %p2 = getelementptr inbounds i64, ptr %p0, i64 2
  %p3 = getelementptr inbounds i64, ptr %p0, i64 3
  %w0 = load i64, ptr %p0
  %w1 = load i64, ptr %p1
  %w2 = load i64, ptr %p2
  %w3 = load i64, ptr %p3
  %h = call i64 @llvm.fshl.i64(i64 %w0, i64 %w1, i64 %shift)
  %c = call i64 @llvm.fshl.i64(i64 %w1, i64 %w2, i64 %shift)
  %l = call i64 @llvm.fshl.i64(i64 %w2, i64 %w3, i64 %shift)
  %mw = zext i64 %m to i128
  %cw = zext i64 %c to i128
  %lw = zext i64 %l to i128
  %t0 = mul i128 %lw, %mw
  %carry0 = lshr i128 %t0, 64
  %t1a = mul i128 %cw, %mw
  %t1 = add i128 %t1a, %carry0
  %carry1 = lshr i128 %t1, 64
  %carry = trunc i128 %carry1 to i64
  %t2a = mul i64 %h, %m
  %t2 = add i64 %t2a, %carry
  %r1 = trunc i128 %t1 to i64
  %r0 = trunc i128 %t0 to i64
  %near = add i64 %t2, 2305843009213693952
  %k = lshr i64 %near, 62
  %high = call i64 @llvm.fshl.i64(i64 %t2, i64 %r1, i64 2)
  %low = call i64 @llvm.fshl.i64(i64 %r1, i64 %r0, i64 2)
  %s0 = insertvalue {{i64, i64, i64}} poison, i64 %k, 0
  %s1 = insertvalue {{i64, i64, i64}} %s0, i64 %high, 1
  %s2 = insertvalue {{i64, i64, i64}} %s1, i64 %low, 2
  ret {{i64, i64, i64}} %s2
}}
"""
