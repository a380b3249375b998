"""Counter-based streams: a random number is a function of (seed, path, step, stream, index).

Philox4x32-10 (Salmon, Moraes, Dror and Shaw, SC'11) turns a 128-bit counter and a 64-bit key into 128 random
bits.  The counter holds the coordinates, so a number does not depend on threads, blocks, order or engine, and
any path can be drawn alone.  Normals come from Box-Muller in polynomials that LLVM can vectorise.
"""

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from stress.rules import inline, kernel

# Streams: the third word of the counter.  A new one never shifts the numbers of another.
NOISE, MIXING, VOLATILITY, JUMPS, FUNDING, POPULATION, EXITS, REFINEMENT, TURNOVER, CRASHES, EXTREMES = range(11)

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_MANTISSA = np.uint64(0x000FFFFFFFFFFFFF)
_ONE = np.uint64(0x3FF0000000000000)
_TWO52 = np.uint64(0x4330000000000000)
_SHIFT12, _SHIFT52 = np.uint64(12), np.uint64(52)


@intrinsic
def float_bits(typingctx, value):
    """Return the 64 bits of a float as an unsigned integer."""

    def _build(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.IntType(64))

    return types.uint64(types.float64), _build


@intrinsic
def bits_float(typingctx, value):
    """Return the float whose 64 bits are an unsigned integer's."""

    def _build(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.DoubleType())

    return types.float64(types.uint64), _build


@inline
def _round(c0, c1, c2, c3, k0, k1):
    p0, p1 = _M0 * c0, _M1 * c2
    mixed = (p1 >> _HALF) ^ c1 ^ k0, p1 & _LOW, (p0 >> _HALF) ^ c3 ^ k1, p0 & _LOW
    return (*mixed, (k0 + _W0) & _LOW, (k1 + _W1) & _LOW)


@inline
def _five_rounds(c0, c1, c2, c3, k0, k1):
    # Written out: LLVM vectorises the caller's loop only when this one is gone.
    words = _round(*_round(c0, c1, c2, c3, k0, k1))
    return _round(*_round(*_round(*words)))


@inline
def philox(c0, c1, c2, c3, k0, k1):
    """Return four random 32-bit words for a counter of four words and a key of two (ten rounds)."""
    return _five_rounds(*_five_rounds(c0, c1, c2, c3, k0, k1))[:4]


@inline
def _unit(high, low):
    """Return a uniform in (0, 1) with 52 random bits, never 0 or 1."""
    bits = ((high << _HALF) | low) >> _SHIFT12
    return bits_float(bits | _ONE) - (1.0 - 1.1102230246251565e-16)


@inline
def uniform_pair(index, path, stream, k0, k1):
    """Return two uniforms of the coordinates (index, path, stream)."""
    path = np.uint64(path)
    third = np.uint64(stream) & _LOW
    a, b, c, d = philox(np.uint64(index) & _LOW, path & _LOW, third, path >> _HALF, k0 & _LOW, k1 & _LOW)
    return _unit(a, b), _unit(c, d)


@inline
def log_unit(u):
    """Return ln(u) of a positive normal float: atanh series on [1/sqrt 2, sqrt 2), no branches."""
    shifted = float_bits(u) + np.uint64(0x00095F619980C433)  # carries into the exponent above sqrt 2
    exponent = bits_float((shifted >> _SHIFT52) | _TWO52) - (4503599627370496.0 + 1023.0)
    mantissa = bits_float((shifted & _MANTISSA) + np.uint64(0x3FE6A09E667F3BCD))
    s = (mantissa - 1.0) / (mantissa + 1.0)
    z = s * s
    p = 1.0 / 17.0 + z * (1.0 / 19.0 + z * (1.0 / 21.0))
    p = 1.0 / 11.0 + z * (1.0 / 13.0 + z * (1.0 / 15.0 + z * p))
    p = 1.0 / 5.0 + z * (1.0 / 7.0 + z * (1.0 / 9.0 + z * p))
    return exponent * 0.6931471805599453 + 2.0 * s * (1.0 + z * (1.0 / 3.0 + z * p))


@inline
def sine_cosine(turn):
    """Return sin and cos of 2 pi `turn` for a turn in (0, 1): quadrant reduction, Taylor to 2e-14."""
    shifted = 4.0 * turn + 4503599627370496.0  # adding 2**52 rounds to the nearest quadrant
    quadrant = float_bits(shifted)
    x = 6.283185307179586 * (turn - 0.25 * (shifted - 4503599627370496.0))
    z = x * x
    sine = 1.0 / 362880.0 + z * (-1.0 / 39916800.0 + z * (1.0 / 6227020800.0))
    sine = x * (1.0 + z * (-1.0 / 6.0 + z * (1.0 / 120.0 + z * (-1.0 / 5040.0 + z * sine))))
    cosine = 1.0 / 40320.0 + z * (-1.0 / 3628800.0 + z * (1.0 / 479001600.0 + z * (-1.0 / 87178291200.0)))
    cosine = 1.0 + z * (-0.5 + z * (1.0 / 24.0 + z * (-1.0 / 720.0 + z * cosine)))
    odd = (quadrant & np.uint64(1)) != np.uint64(0)
    upper = (quadrant & np.uint64(2)) != np.uint64(0)
    a = cosine if odd else sine
    b = -sine if odd else cosine
    return (-a, -b) if upper else (a, b)


@kernel
def fill_normals(out, path, stream, k0, k1):
    """Fill `out` (n,) with independent standard normals of one path and stream (Box and Muller 1958).

    Pair i yields elements i and i + ceil(n/2), so that the loop has no branch and vectorises.
    """
    half = (out.size + 1) // 2
    first, second = out[:half], out[half:]
    for i in range(second.size):
        u, v = uniform_pair(i, path, stream, k0, k1)
        radius = np.sqrt(-2.0 * log_unit(u))
        sine, cosine = sine_cosine(v)
        first[i], second[i] = radius * sine, radius * cosine
    if out.size % 2 == 1:
        u, v = uniform_pair(half - 1, path, stream, k0, k1)
        out[half - 1] = np.sqrt(-2.0 * log_unit(u)) * sine_cosine(v)[0]


@kernel
def fill_uniforms(out, path, stream, k0, k1):
    """Fill `out` (n,) with independent uniforms in (0, 1) of one path and stream."""
    half = (out.size + 1) // 2
    first, second = out[:half], out[half:]
    for i in range(second.size):
        first[i], second[i] = uniform_pair(i, path, stream, k0, k1)
    if out.size % 2 == 1:
        out[half - 1] = uniform_pair(half - 1, path, stream, k0, k1)[0]


@kernel
def uniforms_of_paths(key, stream, first, out):
    """Fill `out` (n_paths, n) with the uniforms of one stream of paths `first`, `first` + 1, ..."""
    for p in range(out.shape[0]):
        fill_uniforms(out[p], first + p, stream, key[0], key[1])


@kernel
def poisson_events(key, stream, first, per_step, n_steps, steps, *marks):
    """Fill `steps` (n_paths, k) with the times of a Poisson process of `per_step` a step, rounded down.

    Every event has two uniform marks, of 32 random bits each, in `marks` (n_paths, k).  What lies beyond `n_steps`,
    and each path's last column, is left as it is.
    """
    for p in range(steps.shape[0]):
        path, time = np.uint64(first + p), 0.0
        for i in range(steps.shape[1] - 1):
            a, b, c, d = philox(np.uint64(i), path & _LOW, np.uint64(stream), path >> _HALF, key[0], key[1])
            time -= np.log(_unit(a, b)) / per_step
            if time >= n_steps:
                break
            steps[p, i] = int(time)
            marks[0][p, i] = (float(c) + 0.5) / 4294967296.0
            marks[1][p, i] = (float(d) + 0.5) / 4294967296.0


def stream_key(seed: int) -> np.ndarray:
    """Return the two 32-bit key words of a root seed, shape (2,) of uint64."""
    return np.random.SeedSequence(seed).generate_state(2).astype(np.uint64)


def generator(seed: int, stream: int, index: int) -> np.random.Generator:
    """Return NumPy's Philox generator at the coordinates (seed, stream, index), for draws outside kernels."""
    words = np.random.SeedSequence(seed).generate_state(2, dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=words, counter=[0, 0, index, stream]))
