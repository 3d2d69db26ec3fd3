"""How much memory a training takes, from structures to the end of the third epoch: in a process of its own.

`python -m benchmarks.memory ours phonons 1024` prints, as JSON, the peak of its resident memory in MiB once everything
is imported and all structures are read, and at the end. `benchmarks.training` asks for ours and for cgcnn2's.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks import learners, peers
from benchmarks.sets import Crystals, load_set
from cgcnn.graph import CrystalGraph, GraphConfig, build_all

EPOCHS = 3


def ours(crystals: Crystals) -> learners.Learner:
    """The app's way: shard by shard, merged where it pays, and then copied once into the sides of the split."""
    steps = build_all(crystals.structures, GraphConfig(), light=True)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            graph: CrystalGraph = end.value.graph
            return learners.ours("ours", graph.take(torch.arange(graph.n_crystals)), crystals.normalized)


def of_cgcnn2(crystals: Crystals) -> learners.Learner:
    """Its own items, of its own data loader."""
    return learners.of_cgcnn2(peers.cgcnn2_items(crystals.structures)(), crystals.normalized)


WAYS: dict[str, Callable[[Crystals], learners.Learner]] = {"ours": ours, "cgcnn2": of_cgcnn2}


def peak() -> float:
    """The largest resident memory of this process so far in MiB; NaN where the system does not say (Windows)."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux hands the peak of getrusage down from the process that started this one
        return int(re.findall(r"VmHWM:\s+(\d+)", status.read_text())[0]) / 2**10
    try:
        import resource
    except ImportError:
        return float("nan")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # macOS counts bytes


def asked(way: str, crystals: str, n: int) -> dict[str, float]:
    """What a process of its own says of one way; RuntimeError with its last words when it fails."""
    command = [sys.executable, "-m", "benchmarks.memory", way, crystals, str(n)]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Train, and print what it took."""
    way, name, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
    torch.set_num_threads(1)
    crystals = load_set(name, n)
    if way == "cgcnn2":
        peers.cgcnn2_collate()
    loaded = peak()
    with peers.quiet():
        learner = WAYS[way](crystals)
        for epoch in range(EPOCHS):
            learner.epoch(epoch)
    print(json.dumps({"loaded": loaded, "peak": peak()}))


if __name__ == "__main__":
    main()
