"""What the default run learns: `python -m benchmarks.learning` trains it with eight seeds and prints test errors.

Formation energy of the built-in crystals with at most 8 atoms in the cell, whole chemical systems held out.
"""

import json
import statistics
import sys
import time
from pathlib import Path

from cgcnn.training.experiment import RunConfig, TestMetrics, run_experiment

SEEDS = range(8)
SPLITS = (1, 2)  # further splits


def row(seed: int, split_seed: int) -> dict[str, float]:
    """One run: its seeds, errors in eV/atom, and seconds of wall time."""
    begun = time.perf_counter()
    *_, result = run_experiment(RunConfig().with_(**{"train.seed": seed, "dataset.seed": split_seed}))
    assert isinstance(result, TestMetrics)
    seconds = time.perf_counter() - begun
    return {
        "seed": seed,
        "split": split_seed,
        "test MAE": result.mae,
        "median guess": result.median_mae,
        "mean guess": result.mean_mae,
        "seconds": seconds,
    }


def main() -> None:
    """Print a table and, with a file name, write it as JSON."""
    rows = [row(seed, 0) for seed in SEEDS] + [row(seed, seed) for seed in SPLITS]
    print("  ".join(f"{name:>12}" for name in rows[0]))
    for found in rows:
        print("  ".join(f"{value:12.3f}" if isinstance(value, float) else f"{value:12}" for value in found.values()))
    found = [row["test MAE"] for row in rows if row["split"] == 0]
    mean, spread = statistics.mean(found), statistics.stdev(found)
    print(f"split 0: test MAE {mean:.3f} ± {spread:.3f} eV/atom over {len(found)} seeds")
    if sys.argv[1:]:
        Path(sys.argv[1]).write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
