import numpy as np
import pytest

from stress.rare import mixture_weights

TINY = "configs/tiny.toml"


def test_weights_of_a_mixture_are_the_models_density_over_the_mixtures():
    # Densities 1, 4 and shares 1/4, 3/4: 1 / (1/4 + 3) = 4/13; and 1 / (1/4 + 3/16) = 16/7.
    density = np.log([[1.0, 1.0], [4.0, 0.25]])
    assert mixture_weights(density, np.array([0.25, 0.75])) == pytest.approx([4 / 13, 16 / 7])


def test_no_weight_exceeds_the_inverse_of_the_defensive_share():
    density = np.random.default_rng(1).normal(0, 200, (3, 1_000))
    assert mixture_weights(density, np.array([0.2, 0.4, 0.4])).max() <= 5.0
