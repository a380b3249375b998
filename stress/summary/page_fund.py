"""Sections of the page about this fund: how likely it is exhausted, what is needed, whom it can outlast."""

from collections.abc import Iterator
from itertools import zip_longest
from typing import TYPE_CHECKING

from stress.summary.caveats import stands_beyond_the_data
from stress.summary.extremes import ExtremeReserve
from stress.summary.intervals import HOURS_PER_YEAR, Estimate, annual_rate, within_year
from stress.summary.model_risk import Spread
from stress.summary.notation import Money, brackets, percent, rate, row, three_digits, wrapped
from stress.summary.reserves import ReserveEstimate
from stress.summary.year import basis, beyond_the_data, chance_in_year

if TYPE_CHECKING:
    from stress.summary.summary import Summary

__all__ = ["cover", "extremes", "needed", "pools", "probabilities", "shortfall"]

_PARAMETER_ROW = "    parameter interval"
_CHANCE, _SYMBOLS = 36, 40


def probabilities(summary: "Summary") -> Iterator[str]:
    """Yield how likely the fund is exhausted and customers are hit, over the horizon and in a year."""
    customers = summary.probability_interval
    hours = summary.facts.horizon_hours
    yield ""
    yield row("Probability", f"within {hours:g} h", f"{f'in a year ({basis(summary.facts)})':<{_CHANCE}}times")
    yield _event("Fund exhausted", summary.ruin_probability, hours)
    yield from _parameters_of_ruin(summary)
    if summary.any_pool_ruined is not None:
        yield _event("Any pool of the fund exhausted", summary.any_pool_ruined, hours)
    yield _event("Customers hit by auto-deleveraging", customers["deleveraging"], hours)
    yield _event("Customers hit by any haircut", customers["any_haircut"], hours)
    yield _closed(summary.year.deleveraged_notional, hours, summary.money)
    if summary.inventory_beyond_fund is not None:
        yield _event("Positions taken over exceed the fund", summary.inventory_beyond_fund, hours)
        yield "    (a venue with that cap deleverages)"


def _event(name: str, p: Estimate, hours: float) -> str:
    mark = " *" if stands_beyond_the_data(p, hours) else ""
    return row(f"  {name}{mark}", _chance(p), f"{_chance_in_year(p):<{_CHANCE}}{_times_a_year(p)}".rstrip())


def _chance(p: Estimate) -> str:
    if p.value == 0 and p.high is not None:
        return f"on no path, below {percent(p.high)}"
    return f"{percent(p.value)} {brackets(p.low, p.high, percent)}"


def _chance_in_year(p: Estimate) -> str:
    if p.annual is None:
        return "on every path"
    year = chance_in_year(p)
    if p.value == 0 and year.high is not None:
        return f"below {percent(year.high)}"
    return f"{percent(year.value)} {brackets(year.low, year.high, percent)}"


def _times_a_year(p: Estimate) -> str:
    if p.annual is None:
        return ""
    return f"< {rate(p.annual_high)}" if p.value == 0 else rate(p.annual)


def _parameters_of_ruin(summary: "Summary") -> Iterator[str]:
    found = summary.parameters
    if found is not None:
        year = brackets(within_year(found.ruin_annual.low), within_year(found.ruin_annual.high), percent)
        yield row(_PARAMETER_ROW, brackets(found.ruin.low, found.ruin.high, percent), year)
    elif summary.facts.config_sha256:
        yield row(_PARAMETER_ROW, "not known yet: fundstress uncertainty CONFIG")


def _closed(a_year: Estimate, hours: float, money: Money) -> str:
    """Write the notional over the horizon, and over a year of such horizons."""
    name = "  Notional auto-deleveraged, mean"
    if a_year.value == 0:
        return row(name, "none")
    return row(name, *(_scaled(a_year, factor, money) for factor in (hours / HOURS_PER_YEAR, 1.0)))


def _scaled(mean: Estimate, factor: float, money: Money) -> str:
    low, high = (None if edge is None else factor * max(0.0, edge) for edge in (mean.low, mean.high))
    return f"{money(factor * mean.value)} {brackets(low, high, money.bare)}"


def needed(summary: "Summary") -> Iterator[str]:
    """Yield the reserves over the horizon, the one for a year, and the headline when a stressed regime was run."""
    hours = summary.facts.horizon_hours
    yield ""
    yield row(f"Reserve needed over {hours:g} h", "net of income", "gross, no credit for income")
    for net, gross in _pairs(summary.reserves):
        yield row(_level(net.level, hours), _reserve(net, summary.money), _reserve(gross, summary.money))
        yield from _parameters_of_reserve(summary, net.level)
    year = summary.year
    yield row(
        f"  {100 * year.level:g} % a year ({basis(summary.facts)})",
        _reserve(year.net, summary.money),
        _reserve(year.gross, summary.money),
    )
    yield from _parameters_of_reserve(summary, year.net.level)
    yield from _headline(summary)


def _level(level: float, hours: float) -> str:
    mark = " *" if beyond_the_data(1 - level, hours) else ""
    return f"  {100 * level:g} % (fails {rate(annual_rate(1 - level, hours))} times a year){mark}"


def _pairs(reserves: tuple[ReserveEstimate, ...]) -> list[tuple[ReserveEstimate, ReserveEstimate]]:
    net, gross = ([row for row in reserves if row.kind == kind] for kind in ("net", "gross"))
    return list(zip(net, gross, strict=True))


def _reserve(estimate: ReserveEstimate, money: Money) -> str:
    if estimate.value is not None:
        return f"{money(estimate.value)} {brackets(estimate.low, estimate.high, money.bare)}"
    if estimate.upper_bound is not None:
        return f"refused; at most {money(estimate.upper_bound)}"
    return f"refused; needs {estimate.n_paths_needed:,} paths"


def _parameters_of_reserve(summary: "Summary", level: float) -> Iterator[str]:
    spread: Spread | None = summary.parameters.reserve(level) if summary.parameters else None
    if spread is not None:
        yield row(_PARAMETER_ROW, brackets(spread.low, spread.high, summary.money.bare))


def _headline(summary: "Summary") -> Iterator[str]:
    found = summary.headline
    if found is None:
        return
    level, money = f"{100 * found.level:g} %", summary.money
    stressed = f"{money(found.stressed)} {brackets(found.stressed_low, found.stressed_high, money.bare)}"
    yield row(f"  {level}, stressed regime", stressed, f"75 % base + 25 % stressed: {money(found.weighted)}")
    which = "the base" if found.base >= found.weighted else "the 75/25 weighting"
    yield f"  Headline at {level}: {money(found.value)}, {which}, the worse of base ({money(found.base)}) and weighting"


def pools(summary: "Summary") -> Iterator[str]:
    """Yield what each pool asks for, when the fund is in several: the venue's total says nothing of one of them."""
    if summary.any_pool_ruined is None:
        return
    hours, money = summary.facts.horizon_hours, summary.money
    yield ""
    yield row("Pool of the fund", f"exhausted within {hours:g} h", "drawdown, net of income")
    for pool in summary.pools:
        mark = " *" if stands_beyond_the_data(pool.ruin_probability, hours) else ""
        labels = [f"  {pool.name}, {money(pool.initial_usd)}{mark}"]
        labels += wrapped(", ".join(pool.symbols), first="    ", width=_SYMBOLS)
        quantiles = [f"{100 * found.level:g} %: {_reserve(found, money)}" for found in pool.drawdown]
        chance = (_chance(pool.ruin_probability),)
        yield from (row(*cells) for cells in zip_longest(labels, chance, quantiles, fillvalue=""))


def shortfall(summary: "Summary") -> Iterator[str]:
    """Yield the mean drawdown of the worst paths."""
    money = summary.money
    for estimate in summary.expected_shortfall:
        amount = "refused" if estimate.value is None else money(estimate.value)
        interval = "" if estimate.low is None else " " + brackets(estimate.low, estimate.high, money.bare)
        yield row(f"Expected shortfall, worst {100 * (1 - estimate.level):.3g} %", amount + interval)


def extremes(summary: "Summary") -> Iterator[str]:
    """Yield the rarest reserve that the largest falls point to, over all thresholds that fit; the file has the rest."""
    found, money = summary.extremes, summary.money
    rows = [row for row in found.reserves if row.least is not None]
    if not rows:
        return
    xi, rarest = [fit.xi for fit in found.accepted], max(rows, key=lambda row: row.level)
    name = f"Extrapolated, {100 * rarest.level:.6g} %, {len(xi)}/{len(found.fits)} thresholds"
    amount = f"{_range(rarest, money)} {brackets(rarest.low, rarest.high, money.bare)}"
    yield row(name, amount, f"tail index {min(xi):.2f} to {max(xi):.2f}")


def _range(estimate: ExtremeReserve, money: Money) -> str:
    least, most = money(estimate.least or 0.0), money(estimate.most or 0.0)
    return least if least == most else f"{least} to {money.bare(estimate.most or 0.0)}"


def cover(summary: "Summary") -> Iterator[str]:
    """Yield the table of the fund against the default of the largest accounts."""
    if not summary.cover:
        return
    moves = sorted({case.move for case in summary.cover})
    times = {(case.n, case.move): case.fund_over_loss for case in summary.cover}
    yield ""
    header = "".join(f"{f'{100 * move:+.0f} %':>10}" for move in moves)
    yield row("Fund over mean loss, at a price move of", header)
    for n in sorted({case.n for case in summary.cover}):
        name = "  the largest account defaults" if n == 1 else f"  the {n} largest accounts default"
        yield row(name, "".join(f"{_times(times.get((n, move))):>10}" for move in moves))


def _times(fund_over_loss: float | None) -> str:
    return "no loss" if fund_over_loss is None else f"{three_digits(fund_over_loss)} x"
