"""The page about price models names every model and shows the record of the model set."""

import importlib.util
import tomllib
from pathlib import Path

import pytest

import stress.scenario  # noqa: F401  (registers everything)
from stress.calibration import FITTERS
from stress.markets.base import Market

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "markets.md").read_text(encoding="utf-8")
RECORD = tomllib.loads((ROOT / "docs" / "model_set.toml").read_text(encoding="utf-8"))
_spec = importlib.util.spec_from_file_location("model_set", ROOT / "benchmarks" / "model_set.py")


@pytest.mark.parametrize(
    "kind", sorted(kind for kind, m in Market.family.items() if m.__module__.startswith("stress."))
)
def test_every_price_model_is_on_the_page(kind):
    assert f"`{kind}`" in PAGE


@pytest.mark.parametrize("name", sorted(FITTERS))
def test_every_fit_is_explained(name):
    assert f"`{name}`" in (ROOT / "docs" / "calibrate.md").read_text(encoding="utf-8")


def test_the_record_holds_every_fit_and_its_numbers_are_on_the_page():
    assert {row["name"] for row in RECORD["model"]} == {"default", *FITTERS}
    for row in RECORD["model"]:
        assert row["low"] <= row["reserve"] <= row["high"]
        assert f"| {row['reserve'] / 1e6:.1f} [{row['low'] / 1e6:.1f}, {row['high'] / 1e6:.1f}] |" in PAGE


def test_a_factor_moves_every_volatility_and_nothing_else():
    model_set = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(model_set)
    market = {"kind": "garch", "vol_annual": 0.5, "alpha": 0.1, "start_vols_annual": [0.2, 0.4], "jump_sd": 0.02}
    half = {"kind": "garch", "vol_annual": 0.25, "alpha": 0.1, "start_vols_annual": [0.1, 0.2], "jump_sd": 0.01}
    assert model_set.scaled(market, 0.5) == half
