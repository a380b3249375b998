"""A frozen minimal Mesa model of the same job: the baseline that our own reference engine cannot inflate.

One agent per account; a step marks it to market, liquidates it below maintenance margin, and books the fund.
No tiers, no fees, no rounds.  Do not optimise it and do not slow it down: at most 1 us per account-step.
"""

import time

import mesa
import numpy as np


class Trader(mesa.Agent):
    def __init__(self, model, qty, entry, collateral):
        super().__init__(model)
        self.qty, self.entry, self.collateral = qty, entry, collateral

    def step(self):
        mark = self.model.mark
        equity = self.collateral + self.qty * (mark - self.entry)
        if equity < 0.005 * abs(self.qty) * mark:
            self.model.fund += equity
            self.remove()


class Venue(mesa.Model):
    def __init__(self, qty, entry, collateral):
        super().__init__(rng=1)
        self.fund = 0.0
        Trader.create_agents(self, len(qty), qty=qty.tolist(), entry=entry.tolist(), collateral=collateral.tolist())

    def run(self, marks):
        for mark in marks.tolist():
            self.mark = mark
            self.agents.do("step")


def seconds_per_account_step(accounts: np.ndarray, marks: np.ndarray) -> float:
    """Return process seconds per account and step of the minimal model."""
    model = Venue(accounts["qty"], accounts["entry"], accounts["collateral"])
    started = time.process_time()
    model.run(marks)
    return (time.process_time() - started) / (accounts.size * marks.size)
