"""Volatility on the daily clock: AR(1) in logarithms, whatever the step."""

import math

from stress.markets.bars import drawn_start
from stress.randomness import VOLATILITY, fill_normals
from stress.rules import rule

__all__ = ["daily_states", "exponentiate"]


@rule
def daily_states(numbers, table, path, k0, k1, states):
    """Fill `states` with the log volatility of every day, in stationary standard deviations."""
    fill_normals(states, path, VOLATILITY, k0, k1)
    state = numbers.start_mean + numbers.start_sd * states[0]
    if numbers.start_listed == 1.0:
        state = drawn_start(table[2], 0.5 * math.erfc(-states[0] * math.sqrt(0.5)))
    for d in range(states.size):
        if d > 0:
            state = numbers.persistence * state + numbers.innovation * states[d]
        states[d] = state


@rule
def exponentiate(numbers, states):
    """Turn states into factors of the volatility, whose mean square is one."""
    for d in range(states.size):
        states[d] = math.exp(numbers.log_sd * states[d] - numbers.log_sd * numbers.log_sd)
