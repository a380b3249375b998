"""What a step of each price model costs, beside Brownian motion, and what its fit costs: process CPU time.

python benchmarks/market_speed.py          # steps of the compiled samplers
python benchmarks/market_speed.py --fits   # every fit of `fundstress calibrate` to 60,000 simulated hours
"""

import argparse
import time

import numpy as np

import stress.scenario  # noqa: F401  (registers every model)
from stress.calibration import FITTERS
from stress.calibration.likeness import simulated_bars
from stress.candles import Candles
from stress.markets.base import CHUNK, Clock, Market, sampler
from stress.randomness import stream_key
from stress.rules import record

CLOCK, PATHS, BLOCKS, REPEATS = Clock(4_320, 60.0), 64, 8, 7
JUMPING = {"jumps_per_year": 50.0}
MODELS = {
    "gbm": {"kind": "gbm", "vol_annual": 0.7},
    "merton": {"kind": "merton", "vol_annual": 0.6},
    "kou": {"kind": "kou", "vol_annual": 0.6},
    "student_t": {"kind": "student_t", "vol_annual": 0.7},
    "garch": {"kind": "garch"},
    "garch with jumps": {"kind": "garch", **JUMPING},
    "heston": {"kind": "heston"},
    "bates": {"kind": "bates"},
    "hawkes": {"kind": "hawkes", "vol_annual": 0.6},
    "regime": {"kind": "regime"},
    "volatility_clock": {"kind": "volatility_clock"},
}


def nanoseconds(market: Market) -> float:
    """Return the best CPU time of one step."""
    numbers, table, sample = record(market.numbers(CLOCK)), market.table(CLOCK), sampler(type(market).increments)
    paths = np.empty((PATHS, CLOCK.n_steps))
    lows, highs = (np.empty((PATHS, CLOCK.n_steps // CHUNK)) for _ in range(2))
    overlay, key, best = np.zeros(CLOCK.n_steps), stream_key(1), float("inf")
    for _ in range(REPEATS + 1):  # the first compiles
        started = time.process_time()
        for block in range(BLOCKS):
            sample(numbers, table, overlay, key, block * PATHS, paths, lows, highs)
        best = min(best, time.process_time() - started)
    return best / (BLOCKS * PATHS * CLOCK.n_steps) * 1e9


def hours(n: int = 60_000) -> Candles:
    """Return candles of the default's price process."""
    returns = simulated_bars(Market.choose({"price_usd": 1.0, "kind": "volatility_clock"}), 3_600, n // 1_000, 1_000)
    close = np.exp(np.cumsum(returns))
    before = np.concatenate([[1.0], close[:-1]])
    return Candles(3_600 * np.arange(n), before, np.maximum(before, close), np.minimum(before, close), close, 3_600)


def fits() -> None:
    """Print what every fit costs."""
    candles, total = hours(), 0.0
    FITTERS["regime"](candles[:1_000])  # compiles the filter
    for name, fitter in FITTERS.items():
        started = time.process_time()
        fitter(candles)
        total += (cost := time.process_time() - started)
        print(f"{name:18}{cost:8.1f} s", flush=True)
    print(f"{'all':18}{total:8.1f} s")


def steps() -> None:
    """Print what a step of every process costs."""
    gbm = None
    for name, settings in MODELS.items():
        cost = nanoseconds(Market.choose({"price_usd": 1.0, **settings}))
        gbm = gbm or cost
        print(f"{name:18}{cost:8.2f} ns a step{cost / gbm:8.2f} x gbm")


def main() -> None:
    """Print one of the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fits", action="store_true")
    fits() if parser.parse_args().fits else steps()


if __name__ == "__main__":
    main()
