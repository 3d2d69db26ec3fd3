"""The network that Xie and Grossman published, to the last printed digit."""

from pathlib import Path

import pytest

from cgcnn.errors import CrystalError
from cgcnn.models import CGCNN
from cgcnn.models.published import load_published


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


def test_a_file_that_is_no_checkpoint_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "x.pth.tar").write_bytes(b"not a checkpoint")
    with pytest.raises(CrystalError, match=r"x\.pth\.tar is no checkpoint"):
        load_published(tmp_path / "x.pth.tar")
