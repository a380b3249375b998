"""A fitted market as a scenario file that says where its numbers come from."""

import math
import os
from pathlib import Path
from typing import Any

import tomli_w

from stress.calibration.comparison import FACTOR, FEWEST_HITS, Comparison, Judged
from stress.markets.base import Market
from stress.markets.prices import OnPrices
from stress.toml import ScenarioError

DIGITS = 6


def write_market(found: Comparison, model: Judged, *, out: Path, base: Path, source: dict[str, Any]) -> None:
    """Write a scenario that is `base` with the fitted market.

    Raises
    ------
    ScenarioError
        If `out` exists, is no .toml, or its folder or `base` does not exist.
    """
    check_out(out, base)
    fit, candles = model.fit, found.candles
    market: dict[str, Any] = {"kind": fit.market["kind"], "price_usd": float(candles.close[-1])}
    if issubclass(Market.member(fit.market["kind"]), OnPrices):
        market |= source | {"sha256": candles.sha256, "file": os.path.relpath(source["file"], out.parent)}
    market |= {key: rounded(value) for key, value in fit.market_through(candles).items() if key != "kind"}
    tables = {
        "extends": os.path.relpath(base, out.parent),
        "overlay": [],
        "uncertain": [],
        "run": {"name": out.stem},
        "market": market,
        "liquidity": {"vol_annual": rounded(sample_volatility(found))},
    }
    out.write_text("".join(f"# {line}\n" for line in about(found, model)) + "\n" + tomli_w.dumps(tables))


def check_out(out: Path, base: Path) -> None:
    """Refuse a file that cannot be written, before anything is fitted."""
    if out.suffix != ".toml":
        raise ScenarioError(f"--out {out}: should end in .toml")
    if out.exists():
        raise ScenarioError(f"--out {out}: exists; choose another name")
    if not out.parent.is_dir():
        raise ScenarioError(f"--out {out}: no folder {out.parent}")
    if not base.is_file():
        raise ScenarioError(f"--base {base}: no such file")


def sample_volatility(found: Comparison) -> float:
    """Return the root mean square volatility of the sample, a year's."""
    returns = found.candles.returns
    return float((returns**2).mean() / (found.candles.seconds / (365.0 * 86400.0))) ** 0.5


def rounded(value: Any) -> Any:
    """Return a number with as many digits as a fit has."""
    if isinstance(value, tuple):
        return [rounded(entry) for entry in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def about(found: Comparison, model: Judged) -> list[str]:
    """Return what a reader of the file has to know: source, clock, span, errors, how well it hits."""
    fit, candles = model.fit, found.candles
    errors = ", ".join(f"{key} {error:.2g}" for key, error in fit.errors.items()) or "none"
    value = "none" if fit.log_likelihood is None else f"{fit.log_likelihood:,.1f}"
    off = [cell for cell, hits in found.history.items() if not within(model.hits[cell].share, hits)]
    judged = sum(hits.count >= FEWEST_HITS for hits in found.history.values())
    return [
        f"Fitted by 'fundstress calibrate': {fit.name}, to {len(candles):,} bars of {candles.seconds} s.",
        f"Prices: {candles.span}, sha256 {candles.sha256}.",
        *(f"Prices: {note}." for note in candles.notes),
        f"Standard errors: {errors}.  Log-likelihood: {value}.",
        f"Barrier hits: {judged - len(off)} of {judged} cells within a factor of {FACTOR:g} of history; "
        + unseen(model),
        *(f"Warning: {flag}." for flag in fit.flags),
    ]


def unseen(model: Judged) -> str:
    """Say how far off the model was on what it had not seen."""
    if math.isnan(model.error):
        return "the last third has too few hits to judge."
    return f"on the last third, unseen, typically off by a factor of {math.exp(model.error):.2f}."


def within(share: float, history: Any) -> bool:
    """Say whether a share is within the factor of history, or history has too few hits to say."""
    return history.count < FEWEST_HITS or 1.0 / FACTOR <= share / history.share <= FACTOR
