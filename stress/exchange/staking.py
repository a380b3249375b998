"""Who stakes in an insurance fund, and what is a stake worth?  Share arithmetic of vaults (docs/method.md, section 6).

Pure functions after Drift's public code; shares are numbers without a unit, everything else is in the staked asset.
"""

__all__ = ["claim", "revenue_payment", "shares_for", "split_revenue", "unstaked", "value_of"]

LARGEST_PART = 0.1  # of the revenue pool that one period may pay out (Drift)


def shares_for(amount: float, vault: float, total_shares: float) -> float:
    """Return the new shares for an amount: amount x shares / vault; in an empty vault one share for one unit.

    Raises
    ------
    ValueError
        If shares exist and nothing stands behind them.
    """
    if total_shares == 0.0:
        return amount
    if vault <= 0.0:
        raise ValueError("shares_for: the vault is empty, its shares are worth nothing")
    return amount * total_shares / vault


def value_of(shares: float, vault: float, total_shares: float) -> float:
    """Return what shares are worth: vault x shares / all shares."""
    return vault * shares / total_shares if total_shares > 0.0 else 0.0


def unstaked(at_request: float, at_exit: float) -> float:
    """Return what a staker gets after the cooldown: gains since the request are forfeited, losses are borne."""
    return min(at_request, at_exit)


def claim(requested: float, shares: float, vault: float, total_shares: float) -> float:
    """Return what `shares`, worth `requested` when their exit was asked for, pay out of the vault of now."""
    return unstaked(requested, value_of(shares, vault, total_shares))


def revenue_payment(
    pool: float, vault: float, *, apr_limit: float, periods_per_year: float, staked: bool = True
) -> float:
    """Return what the revenue pool pays into the vault in one period: a tenth, within a yearly return on the vault.

    Parameters
    ----------
    pool, vault : float
    apr_limit : float
        Largest yearly return on the vault, 10 for 1000 %.
    periods_per_year : float
        8,760 for hourly payments.
    staked : bool
        Without stakers the limit on the return does not bind.
    """
    payment = LARGEST_PART * pool
    return min(payment, vault * apr_limit / periods_per_year) if staked else payment


def split_revenue(payment: float, user_factor: float, total_factor: float) -> tuple[float, float]:
    """Return the stakers' and the protocol's part of a payment: `user_factor` of `total_factor` is the stakers'."""
    users = payment * user_factor / total_factor
    return users, payment - users
