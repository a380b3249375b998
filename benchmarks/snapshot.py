"""How long does a venue's own book take: from a file of a million positions to the first reserve?

    python benchmarks/snapshot.py                     import 1e6 synthetic positions, run 1,000 paths, print times
    python benchmarks/snapshot.py --rows 16000000     a CSV file of about 1 GB: time and peak memory of the import
    python benchmarks/snapshot.py --write book.csv    only write the synthetic file

Every step is a process of its own, as a user has it.  The positions are drawn about one mark, with log-normal leverage
and Pareto sizes; all numbers are illustrative.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

ROOT = Path(__file__).parents[1]
BASE = ROOT / "configs" / "btc_perpetual.toml"
SYMBOL, MARK = "BTCUSDT", 63_000.0
CHUNK = 1_000_000  # positions written at a time
OPEN_INTEREST = 2.0e9  # USD, one side


def positions(n: int, n_all: int, seed: int) -> pa.Table:
    """Draw `n` of `n_all` positions: healthy at the mark, sides balanced on average."""
    rng = np.random.default_rng(seed)
    side = np.where(rng.random(n) < 0.5, 1.0, -1.0)
    size = np.minimum(rng.random(n) ** (-1.0 / 1.05), 1e5)
    notional = size * (2.0 * OPEN_INTEREST / n_all / 10.0)  # the mean of these sizes is about 10
    leverage = np.clip(6.0 * np.exp(0.7 * rng.standard_normal(n)), 1.0, 40.0) / (1.0 + notional / 2e7)
    profit = rng.uniform(-0.3, 0.6, n) / leverage  # of notional: nobody is near maintenance
    qty = side * np.maximum(np.round(notional / MARK, 4), 0.001)
    entry = np.round(MARK * (1.0 - side * profit / (1.0 + np.abs(profit))), 1)
    collateral = np.round(np.abs(qty) * entry / leverage + 1.0, 2)
    names = np.char.add("u", np.char.zfill(np.arange(n).astype(str), 8))
    columns = {"account": [f"{seed}-{name}" for name in names], "symbol": [SYMBOL] * n, "qty": qty, "entry": entry}
    modes = np.where(rng.random(n) < 0.5, "isolated", "cross")
    return pa.table(columns | {"collateral": collateral, "mode": modes})


def write(path: Path, n: int) -> None:
    """Write a synthetic file of `n` positions, CSV or Parquet by its name."""
    open_writer = pa.csv.CSVWriter if path.suffix == ".csv" else pq.ParquetWriter
    schema = positions(1, n, 0).schema
    with open_writer(str(path), schema) as writer:
        for i, first in enumerate(range(0, n, CHUNK)):
            writer.write_table(positions(min(CHUNK, n - first), n, i))


def measured(*words: str) -> tuple[float, float, str]:
    """Run ``fundstress`` with `words`; return seconds, peak memory in MB, and what it printed."""
    started = time.perf_counter()
    command = [sys.executable, "-c", PEAK, *words]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    elapsed = time.perf_counter() - started
    if done.returncode:
        raise SystemExit(done.stderr)
    return elapsed, float(done.stderr.splitlines()[-1]) / 1024.0, done.stdout


# Not ru_maxrss, which a child inherits from whoever started it.
PEAK = """
import re, sys
from stress.cli import main
code = main(sys.argv[1:])
with open("/proc/self/status") as status:
    print(re.search(r"VmHWM:\\s+(\\d+)", status.read())[1], file=sys.stderr)
sys.exit(code)
"""


def study(n: int, n_paths: int, suffix: str) -> None:
    """Write, import and run in a temporary folder, and print what each took."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source, out = folder / f"positions{suffix}", folder / "ours.toml"
        write(source, n)
        print(f"{n:,} positions, {source.stat().st_size / 1e6:,.0f} MB of {suffix[1:]}")
        given = ("--mark", f"{SYMBOL}={MARK}", "--base", str(BASE), "--out", str(out), "--skip-bad")
        seconds, peak, _ = measured("import", str(source), *given)
        print(f"import          {seconds:6.1f} s   peak {peak:,.0f} MB   {n / seconds:,.0f} positions/s")
        if n_paths:
            words = ("run", str(out), "--paths", str(n_paths), "--no-figures", "--no-model-risk", "--quiet")
            for which in ("first run", "run again"):  # the first may have to compile
                seconds, peak, _ = measured(*words, "--out", str(folder / which.replace(" ", "_")))
                print(f"{which:<15} {seconds:6.1f} s   peak {peak:,.0f} MB   {n_paths:,} paths")


def main() -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--paths", type=int, default=1_000)
    parser.add_argument("--format", choices=("csv", "parquet"), default="csv")
    parser.add_argument("--write", type=Path)
    asked = parser.parse_args()
    if asked.write:
        write(asked.write, asked.rows)
    else:
        study(asked.rows, asked.paths, f".{asked.format}")


if __name__ == "__main__":
    main()
