import numba
import numpy as np
import pytest
from scipy import stats

from stress.randomness import (
    JUMPS,
    MIXING,
    NOISE,
    fill_normals,
    fill_uniforms,
    generator,
    log_unit,
    philox,
    sine_cosine,
    stream_key,
)

KEY = stream_key(7)
N = 1 << 20


def normals(path, n=N, stream=NOISE, key=KEY):
    out = np.empty(n)
    fill_normals(out, path, stream, key[0], key[1])
    return out


def uniforms(path, n=N, stream=MIXING, key=KEY):
    out = np.empty(n)
    fill_uniforms(out, path, stream, key[0], key[1])
    return out


# --- the generator: published known-answer vectors of Philox4x32-10 (Random123, kat_vectors)


@pytest.mark.parametrize(
    ("counter", "key", "answer"),
    [
        ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ],
    ids=["zeros", "ones", "pi"],
)
def test_philox_gives_the_published_answers(counter, key, answer):
    words = (np.uint64(int(word, 16)) for word in f"{counter} {key}".split())
    assert " ".join(f"{int(word):08x}" for word in philox(*words)) == answer


# --- elementary functions


@numba.njit(error_model="numpy")
def logs(u, out):
    for i in range(u.size):
        out[i] = log_unit(u[i])


@numba.njit(error_model="numpy")
def turns(u, sines, cosines):
    for i in range(u.size):
        sines[i], cosines[i] = sine_cosine(u[i])


@pytest.mark.parametrize(
    "u",
    [np.random.default_rng(3).random(200_000), 1.0 - np.geomspace(1e-16, 0.5, 10_000), np.geomspace(2**-53, 1, 10_000)],
    ids=["uniform", "near one", "near zero"],
)
def test_the_logarithm_is_numpys_to_a_few_ulp(u):
    u = u[(u > 0.0) & (u < 1.0)]
    out = np.empty(u.size)
    logs(u, out)
    assert np.abs(out / np.log(u) - 1.0).max() < 1e-14


def test_sine_and_cosine_are_numpys_to_2e_14():
    u = np.concatenate([np.random.default_rng(4).random(200_000), np.arange(1, 16) / 16, [2**-53, 1 - 2**-53]])
    sines, cosines = np.empty(u.size), np.empty(u.size)
    turns(u, sines, cosines)
    assert np.abs(sines - np.sin(2 * np.pi * u)).max() < 2.1e-14
    assert np.abs(cosines - np.cos(2 * np.pi * u)).max() < 2.1e-14


# --- normals


@pytest.fixture(scope="module")
def many():
    return np.concatenate([normals(path) for path in range(16)])  # 17 million


@pytest.mark.parametrize(("power", "moment"), [(1, 0), (2, 1), (3, 0), (4, 3), (6, 15)])
def test_normals_have_the_moments_of_the_normal_law(many, power, moment):
    powers = many**power
    assert abs(powers.mean() - moment) < 4 * powers.std() / np.sqrt(many.size)


@pytest.mark.parametrize("sigmas", [3.0, 4.0, 5.0])
@pytest.mark.parametrize("side", [1.0, -1.0])
def test_normals_have_the_tails_of_the_normal_law(many, sigmas, side):
    expected = many.size * stats.norm.sf(sigmas)
    assert abs((side * many > sigmas).sum() - expected) < 4 * np.sqrt(expected)


def test_normals_pass_the_kolmogorov_smirnov_test(many):
    assert stats.kstest(many[: N // 2], "norm").pvalue > 1e-3


@pytest.mark.parametrize("n", [1, 2, 3, 7, 101])
def test_any_length_is_filled_with_finite_numbers(n):
    out = np.full(n + 1, np.nan)
    fill_normals(out[:n], 0, NOISE, KEY[0], KEY[1])
    assert np.isfinite(out[:n]).all()
    assert np.isnan(out[n])


def test_odd_lengths_are_normal_in_every_place():
    rows = np.array([normals(path, 3) for path in range(20_000)])
    assert (np.abs(rows.mean(axis=0)) < 4 / np.sqrt(20_000)).all()
    assert (np.abs(rows.var(axis=0) - 1.0) < 4 * np.sqrt(2 / 20_000)).all()


# --- uniforms


def test_uniforms_never_reach_zero_or_one():
    u = uniforms(0)
    assert 0.0 < u.min() < u.max() < 1.0


def test_uniforms_pass_the_kolmogorov_smirnov_test():
    assert stats.kstest(uniforms(0), "uniform").pvalue > 1e-3


def test_uniforms_have_flat_lowest_bits():
    low = (uniforms(1) * 2.0**52).astype(np.uint64) & np.uint64(255)
    assert stats.chisquare(np.bincount(low.astype(int), minlength=256)).pvalue > 1e-3


# --- coordinates


def test_a_number_is_a_function_of_its_coordinates():
    assert (normals(5, 1000) == normals(5, 1000)).all()


@pytest.mark.parametrize("other", [{"path": 6}, {"stream": JUMPS}, {"key": stream_key(8)}, {"path": 5 + 2**32}])
def test_another_coordinate_gives_independent_numbers(other):
    here = normals(5)
    there = normals(**{"path": 5, **other})
    assert abs(np.corrcoef(here, there)[0, 1]) < 4 / np.sqrt(N)
    assert (here != there).all()


def test_neighbouring_paths_are_uncorrelated_step_by_step():
    rows = np.array([normals(path, 64) for path in range(2_000)])
    found = np.corrcoef(rows)[np.triu_indices(2_000, 1)] * np.sqrt(64)
    assert abs(found.std() - 1.0) < 0.01  # two million coefficients of unit variance


def test_steps_of_a_path_are_uncorrelated():
    z = normals(3)
    lags = [np.corrcoef(z[:-lag], z[lag:])[0, 1] for lag in (1, 2, N // 2 - 1, N // 2)]
    assert np.abs(lags).max() < 4 / np.sqrt(N // 2)


def test_the_two_normals_of_a_pair_are_uncorrelated_in_size():
    z = np.abs(normals(4))
    assert abs(np.corrcoef(z[: N // 2], z[N // 2 :])[0, 1]) < 4 / np.sqrt(N // 2)


def test_a_seed_becomes_two_32_bit_words():
    key = stream_key(2**63 - 1)
    assert key.shape == (2,)
    assert key.max() < 2**32


def test_different_seeds_have_different_keys():
    assert len({tuple(stream_key(seed)) for seed in range(1_000)}) == 1_000


# --- NumPy's generator for draws outside kernels


def test_the_generator_is_a_function_of_its_coordinates():
    assert generator(7, 5, 3).random() == generator(7, 5, 3).random()


def test_other_coordinates_give_other_generators():
    first = {generator(*coordinates).random() for coordinates in ((7, 5, 3), (8, 5, 3), (7, 4, 3), (7, 5, 4))}
    assert len(first) == 4


def test_generators_of_neighbouring_populations_do_not_overlap():
    one, two = (generator(7, 5, index).random(10_000) for index in (0, 1))
    assert not np.isin(one, two).any()
