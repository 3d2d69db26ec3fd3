"""Two processes that share every batch train the network that one process would train.

Run as a script, this file is one of the two processes.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import nn

from cgcnn.data import DatasetConfig
from cgcnn.errors import ConfigError
from cgcnn.models import CGCNN
from cgcnn.nn.norms import BatchNorm
from cgcnn.runs.engines import interface_of
from cgcnn.training.experiment import BatchMetrics, EpochMetrics, Experiment, RunConfig
from cgcnn.training.parallel import Team, notice
from cgcnn.training.train import TrainConfig

SHORT = RunConfig(  # of sparse targets, one of them a class
    dataset=DatasetConfig(also=("log10_bulk_modulus", "on_hull"), max_sites=4, max_crystals=90),
    model=CGCNN.Config(n_convs=1, atom_dim=16, hidden_dim=16),
    train=TrainConfig(epochs=4, batch_size=15, optimizer="SGD", learning_rate=0.02),
)
ROWS = torch.randn(11, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) * 3 + 5
SHARES = ROWS.split([8, 3])  # unequal: each row must count once


def normed(rows: torch.Tensor) -> dict[str, torch.Tensor]:
    """A batch norm forward and back: outputs, gradients (of this share of a loss), running statistics."""
    torch.manual_seed(2)
    norm = BatchNorm(3).double()
    nn.init.uniform_(norm.weight)
    rows = rows.clone().requires_grad_()
    out = norm(rows)
    out.pow(3).sum().backward()
    found = {"out": out, "grad x": rows.grad, "grad weight": norm.weight.grad, "grad bias": norm.bias.grad}
    return {name: t.detach() for name, t in found.items()} | norm.state_dict()


def trained(experiment: Experiment, until: int = 10**9) -> list[tuple[float, ...]]:
    """Losses and errors of every batch and epoch, stopping after `until` of them."""
    found: list[tuple[float, ...]] = []
    for event in experiment.events():
        if isinstance(event, BatchMetrics):
            found.append((event.loss, event.mae))
        elif isinstance(event, EpochMetrics):
            found.append((event.train_loss, event.val_loss, event.train_mae, event.val_mae))
        if len(found) == until:
            break
    return found


def process(folder: Path, rank: int) -> None:
    """All that the tests ask of the two processes; each writes what it found."""
    os.environ["GLOO_SOCKET_IFNAME"] = interface_of("127.0.0.1")
    dist.init_process_group("gloo", f"file://{folder}/meeting", rank=rank, world_size=2)
    whole = Experiment(SHORT)
    found = {"norm": normed(SHARES[rank]), "whole": trained(whole), "weights": whole.model.state_dict()}
    first = Experiment(SHORT)
    found["before"] = trained(first, 7 if rank == 0 else 10**9)  # only the first process wants to stop
    second = Experiment(SHORT)
    second.restore(*first.state())
    found |= {"after": trained(second), "resumed": second.model.state_dict()}
    torch.save(found, folder / f"{rank}.pt")
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    folder = tmp_path_factory.mktemp("team")
    root = Path(__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    both = [subprocess.Popen([sys.executable, __file__, str(folder), str(r)], env=environment) for r in range(2)]
    assert [p.wait(timeout=120) for p in both] == [0, 0]
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(2)]


@pytest.fixture(scope="module")
def alone() -> tuple[list[tuple[float, ...]], dict[str, torch.Tensor]]:
    experiment = Experiment(SHORT)
    return trained(experiment), experiment.model.state_dict()


def test_a_shared_batch_norm_is_torchs_own_on_the_whole_batch(found: list[dict]) -> None:
    one, two = (f["norm"] for f in found)
    whole = normed(ROWS)  # in one process the class is torch's
    joined = {name: torch.cat([one[name], two[name]]) for name in ("out", "grad x")}
    joined |= {name: one[name] + two[name] for name in ("grad weight", "grad bias")}
    for name, expected in whole.items():
        torch.testing.assert_close(joined.get(name, one[name]), expected, rtol=1e-9, atol=1e-9, msg=name)


def test_two_processes_learn_what_one_learns(found: list[dict], alone) -> None:
    losses, weights = alone
    for expected, both in zip(losses, found[0]["whole"], strict=True):
        assert both == pytest.approx(expected, rel=1e-4, abs=1e-5)
    for name, expected in weights.items():
        torch.testing.assert_close(found[0]["weights"][name], expected, rtol=1e-4, atol=1e-5, msg=name)


def test_both_processes_hold_the_same_network_bit_for_bit(found: list[dict]) -> None:
    assert found[0]["whole"] == found[1]["whole"]
    assert all(torch.equal(w, found[1]["weights"][name]) for name, w in found[0]["weights"].items())


def test_when_the_first_process_stops_the_other_stops_after_the_same_event(found: list[dict]) -> None:
    assert len(found[0]["before"]) == len(found[1]["before"]) == 7


def test_a_shared_training_goes_on_bit_for_bit(found: list[dict]) -> None:
    assert found[0]["before"] + found[0]["after"] == found[0]["whole"]
    assert all(torch.equal(w, found[0]["resumed"][name]) for name, w in found[0]["weights"].items())


def test_one_process_alone_is_a_team_of_one() -> None:
    assert Team.here() == Team(0, 1) and Team(1, 3).mine(torch.arange(7)).tolist() == [3, 4]


def test_a_batch_too_small_to_share_is_refused_with_the_numbers() -> None:
    with pytest.raises(ConfigError, match="A batch has 3 crystals and 4 processes share it"):
        Team(0, 4).refuse_small_batches(3)


def test_only_a_shared_run_has_a_notice() -> None:
    assert notice(1) == "" and notice(2).startswith("2 processes share every batch")


if __name__ == "__main__":
    process(Path(sys.argv[1]), int(sys.argv[2]))
