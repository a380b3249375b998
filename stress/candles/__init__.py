"""Prices as candles: read from a file, checked, cut to a window."""

from stress.candles.candles import Candles
from stress.candles.reading import read_candles

__all__ = ["Candles", "read_candles"]
