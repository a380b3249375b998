"""Which column of a venue's file is which, and which words say side and margin mode."""

import re
from collections.abc import Sequence
from pathlib import Path

from stress.snapshot.quality import shown
from stress.toml import ScenarioError

REQUIRED = ("account", "symbol", "qty", "entry", "collateral", "mode")
OPTIONAL = ("side", "mark", "stop", "leverage")

# Compared without case, spaces and punctuation.  Left out on purpose: "equity" and "margin_balance", which include
# unrealized profit, and so are no collateral.
ALIASES = {
    "account": ("account_id", "account_name", "user", "user_id", "uid", "client_id", "trader", "trader_id", "address"),
    "symbol": ("pair", "contract", "instrument", "instrument_id", "instrument_name", "inst_id", "market", "ticker"),
    "qty": ("quantity", "size", "position", "position_size", "position_qty", "position_amt", "amount", "contracts"),
    "side": ("direction", "position_side", "pos_side"),
    "entry": ("entry_price", "avg_price", "average_price", "avg_entry_price", "open_price", "entry_px", "avg_px"),
    "collateral": (
        "margin",
        "wallet",
        "balance",
        "wallet_balance",
        "position_margin",
        "isolated_margin",
        "isolated_wallet",
    ),
    "mode": ("margin_mode", "margin_type", "mgn_mode"),
    "mark": ("mark_price", "mark_px"),
    "stop": ("stop_price", "stop_loss", "stop_loss_price", "sl"),
    "leverage": ("lev",),
}

SIDES = {"long": 1.0, "buy": 1.0, "b": 1.0, "bid": 1.0, "short": -1.0, "sell": -1.0, "s": -1.0, "ask": -1.0}
SIDES |= {"": 0.0, "both": 0.0, "net": 0.0}  # of a venue in one-way mode: the sign of qty decides
CROSS = {"cross": True, "crossed": True, "isolated": False, "iso": False}


def plain(header: str) -> str:
    """Return a header as headers are compared: letters and digits, in lower case."""
    return re.sub(r"[^a-z0-9]", "", header.casefold())


def match(path: Path, headers: Sequence[str], given: Sequence[str] = ()) -> dict[str, int]:
    """Return the place of every column that the file has, by our name for it.

    Parameters
    ----------
    path : Path
        Named in errors.
    headers : sequence of str
        As the file has them.
    given : sequence of str
        Required columns that the command line states instead.

    Raises
    ------
    ScenarioError
        If a required column is missing, or two columns mean the same.
    """
    found = {name: _place(path, name, headers) for name in (*REQUIRED, *OPTIONAL)}
    missing = [name for name in REQUIRED if found[name] is None and name not in given]
    if missing:
        also = f" (also: {', '.join(ALIASES[missing[0]][:4])}, ...)"
        held, many = ", ".join(shown(header) for header in headers[:12]), "s" * (len(missing) > 1)
        raise ScenarioError(f"{path}: missing column{many} {', '.join(missing)}{also}; the file has {held}")
    return {name: place for name, place in found.items() if place is not None}


def _place(path: Path, name: str, headers: Sequence[str]) -> int | None:
    """Return where a column is: under its own name, or else under its only alias."""
    own = [i for i, header in enumerate(headers) if plain(header) == name]
    known = {plain(alias) for alias in ALIASES[name]}
    places = own or [i for i, header in enumerate(headers) if plain(header) in known]
    if len(places) > 1:
        names = " and ".join(shown(headers[i]) for i in places[:3])
        raise ScenarioError(f"{path}: columns {names} both mean {name}: keep one, or name one of them {name!r}")
    return places[0] if places else None
