"""Fits of models whose returns are independent: Brownian motion, Student-t, and both jump diffusions."""

import math

import numpy as np
from scipy import special, stats

from stress.calibration.fit import ABOVE_TWO, LINE, POSITIVE, SHARE, Fit, by_likelihood, fits
from stress.candles import Candles

YEAR = 365.0 * 86400.0
MOST_IN_A_BAR = 12  # jumps that a bar is allowed in Merton's mixture
FFT = 2**14  # points of the grid on which Kou's density is found
REACH = 40.0  # standard deviations to either side of it


def unit(candles: Candles) -> float:
    """Return one bar in years."""
    return candles.seconds / YEAR


@fits("gbm")
def fit_gbm(candles: Candles) -> Fit:
    """Fit Brownian motion; closed form, without drift."""
    r, dt = candles.returns, unit(candles)
    vol = math.sqrt(np.mean(r * r) / dt)
    log_likelihood = float(stats.norm.logpdf(r, scale=vol * math.sqrt(dt)).sum())
    errors = {"vol_annual": vol / math.sqrt(2 * r.size)}
    return Fit("gbm", {"kind": "gbm", "vol_annual": vol}, errors, log_likelihood, 1)


@fits("student_t")
def fit_student(candles: Candles) -> Fit:
    """Fit the degrees of freedom; the root mean square is the sample's.

    Left free, the likelihood of returns whose volatility changes wants a variance that is infinite.
    """
    r, dt = candles.returns, unit(candles)
    rms = math.sqrt(np.mean(r * r))

    def log_likelihood(p):
        """Return the log-likelihood of some parameters."""
        scale = rms * math.sqrt((p["tail_index"] - 2.0) / p["tail_index"])
        return float(student_log_density(r / scale, p["tail_index"]).sum() - r.size * math.log(scale))

    found, errors, value, flags = by_likelihood(log_likelihood, {"tail_index": (0.2, ABOVE_TWO)})
    market = {"kind": "student_t", "bar_seconds": float(candles.seconds), "vol_annual": rms / math.sqrt(dt), **found}
    return Fit("student_t", market, errors, value, 2, flags)


def student_log_density(x: np.ndarray, nu: float) -> np.ndarray:
    """Return the log density of Student-t with `nu` degrees of freedom."""
    constant = special.gammaln(0.5 * (nu + 1.0)) - special.gammaln(0.5 * nu) - 0.5 * math.log(math.pi * nu)
    return constant - 0.5 * (nu + 1.0) * np.log1p(x * x / nu)


@fits("merton")
def fit_merton(candles: Candles) -> Fit:
    """Fit Merton's jump diffusion: a Poisson mixture of normals in every bar."""
    r, dt = candles.returns, unit(candles)
    sd = float(r.std())

    def log_likelihood(p):
        """Return the log-likelihood of some parameters."""
        counts = np.arange(MOST_IN_A_BAR)[:, None]
        weights = stats.poisson.logpmf(counts, p["jumps_per_year"] * dt)
        drift = -p["jumps_per_year"] * dt * math.expm1(p["jump_mean"] + 0.5 * p["jump_sd"] ** 2)
        variance = p["vol_annual"] ** 2 * dt + counts * p["jump_sd"] ** 2
        z = r - drift - counts * p["jump_mean"]
        log_terms = weights - 0.5 * (z * z / variance + np.log(2.0 * math.pi * variance))
        kept = weights.ravel() > -40.0
        return float(special.logsumexp(log_terms[kept], axis=0).sum())

    found, errors, value, flags = by_likelihood(
        log_likelihood,
        {
            "vol_annual": (math.log(0.6 * sd / math.sqrt(dt)), POSITIVE),
            "jumps_per_year": (math.log(0.1 / dt), POSITIVE),
            "jump_mean": (0.0, LINE),
            "jump_sd": (math.log(2.0 * sd), POSITIVE),
        },
    )
    return Fit("merton", {"kind": "merton", **found}, errors, value, 4, flags)


@fits("kou")
def fit_kou(candles: Candles) -> Fit:
    """Fit Kou's jump diffusion: its density from the characteristic function, by a fast Fourier transform."""
    r, dt = candles.returns, unit(candles)
    sd = float(r.std())
    step = 2.0 * REACH * sd / FFT
    grid = (np.arange(FFT) - FFT // 2) * step
    u = 2.0 * math.pi * np.fft.fftfreq(FFT, step)

    def log_likelihood(p):
        """Return the log-likelihood of some parameters."""
        up, down, q = p["jump_up"], p["jump_down"], p["jump_down_share"]
        if up >= 0.5 or down >= 0.5:
            return -math.inf
        jump = (1.0 - q) / (1.0 - 1j * u * up) + q / (1.0 + 1j * u * down)
        mean = (1.0 - q) / (1.0 - up) + q / (1.0 + down) - 1.0
        drift = -0.5 * p["vol_annual"] ** 2 - p["jumps_per_year"] * mean
        exponent = 1j * u * drift - 0.5 * p["vol_annual"] ** 2 * u * u + p["jumps_per_year"] * (jump - 1.0)
        density = np.fft.fftshift(np.fft.fft(np.exp(dt * exponent)).real) / (FFT * step)
        return float(np.interp(r, grid, np.log(np.maximum(density, 1e-12))).sum())

    found, errors, value, flags = by_likelihood(
        log_likelihood,
        {
            "vol_annual": (math.log(0.5 * sd / math.sqrt(dt)), POSITIVE),
            "jumps_per_year": (math.log(0.2 / dt), POSITIVE),
            "jump_up": (math.log(sd), POSITIVE),
            "jump_down": (math.log(sd), POSITIVE),
            "jump_down_share": (0.0, SHARE),
        },
    )
    return Fit("kou", {"kind": "kou", **found}, errors, value, 5, flags)
