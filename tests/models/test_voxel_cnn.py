"""The network on voxels: which of the promises of a graph network it keeps, and which it breaks."""

import pytest
import torch
from pymatgen.core import Lattice, Structure

from cgcnn.data.cells import primitive_cell
from cgcnn.errors import ConfigError, CrystalError
from cgcnn.explain.descriptions import descriptions
from cgcnn.graph import GraphConfig, batch, build_graph
from cgcnn.graph.merge import merged
from cgcnn.models import MODELS
from cgcnn.models.voxel import VoxelCNN
from cgcnn.nn.voxels import CHANNELS


def network(**changes: object) -> VoxelCNN:
    torch.manual_seed(0)
    return VoxelCNN(VoxelCNN.Config(**{"filters": 8} | changes), n_targets=2).eval()


@torch.no_grad()
def moved(structure: Structure, kind: str) -> float:
    """How far descriptions of a kind move the answer, over how far a strain of 1 % does, a real change."""
    model, told = network(), descriptions(structure, 3)
    given = model(build_graph(structure))
    others = [each.structure for each in told.exact if each.kind.startswith(kind)]
    changes = [(model(build_graph(s)) - given).abs().max() for s in (*others, told.control.structure)]
    return float(max(changes[:-1]) / changes[-1])


def test_it_is_the_one_model_on_a_grid() -> None:
    assert MODELS["voxel CNN"] is VoxelCNN
    assert [name for name, model in MODELS.items() if model.on_grid] == ["voxel CNN"]


@pytest.mark.parametrize("norm", ["batch norm", "layer norm", "none"])
def test_a_batch_predicts_what_its_crystals_predict_alone(
    norm: str, rock_salt: Structure, low_symmetry: Structure
) -> None:
    model, graphs = network(norm=norm), [build_graph(rock_salt), build_graph(low_symmetry)]
    with torch.no_grad():
        torch.testing.assert_close(model(batch(graphs)), torch.cat([model(graph) for graph in graphs]))


KEPT = ["atoms renumbered", "supercell", "primitive cell", "conventional cell"]


@pytest.mark.parametrize("kind", KEPT)
def test_the_order_of_the_atoms_and_a_cell_with_the_same_axes_and_origin_change_nothing(
    kind: str, rock_salt: Structure
) -> None:
    assert moved(rock_salt, kind) < 0.01


@pytest.mark.parametrize("kind", ["rotated", "origin shifted"])
def test_it_breaks_two_promises_of_a_graph_network(
    kind: str, low_symmetry: Structure, perovskite: Structure, rock_salt: Structure
) -> None:
    for structure in (low_symmetry, perovskite, rock_salt):
        assert moved(structure, kind) > 1.0


@torch.no_grad()
def test_a_cell_put_down_by_its_lengths_and_angles_is_turned_and_so_answered_otherwise(rock_salt: Structure) -> None:
    cell = primitive_cell(rock_salt)
    put_down = Structure(Lattice.from_parameters(*cell.lattice.parameters), cell.species, cell.frac_coords)
    given, turned = network()(build_graph(rock_salt)), network()(build_graph(put_down))
    assert not torch.allclose(given, turned, atol=1e-6, rtol=0)
    torch.testing.assert_close(network()(build_graph(cell)), given)


def test_every_weight_gets_a_finite_gradient_and_batch_norm_learns_from_two_crystals(
    low_symmetry: Structure, rock_salt: Structure
) -> None:
    model = network().train()
    model(batch([build_graph(low_symmetry), build_graph(rock_salt)])).square().sum().backward()
    for key, kept in model.named_parameters():
        assert kept.grad is not None and kept.grad.isfinite().all(), key


def test_its_weights_are_all_that_it_keeps(rock_salt: Structure) -> None:
    model, copy = network(), VoxelCNN(VoxelCNN.Config(filters=8), n_targets=2).eval()
    copy.load_state_dict(model.state_dict())
    assert torch.equal(model(build_graph(rock_salt)), copy(build_graph(rock_salt)))
    assert not any(name.startswith("embed") for name in model.state_dict()), "the grid has nothing to learn"


def test_the_neighbor_rule_does_not_matter(low_symmetry: Structure) -> None:
    few = build_graph(low_symmetry, GraphConfig(max_neighbors=1))
    assert torch.equal(network()(few), network()(build_graph(low_symmetry)))


def test_a_merged_graph_is_one_sentence(rock_salt: Structure) -> None:
    with pytest.raises(CrystalError, match="where its atoms are"):
        network()(merged(build_graph(rock_salt)))


def test_a_grid_beyond_the_limit_is_one_sentence() -> None:
    with pytest.raises(ConfigError, match=r"40³ voxels, which with 16 filters is 1,024,000 numbers .*limit 250,000"):
        VoxelCNN.Config(pitch=0.2)


def test_its_parameters_do_not_grow_with_the_grid() -> None:
    sizes = [sum(p.numel() for p in network(pitch=pitch, filters=16).parameters()) for pitch in (2.0, 0.5)]
    assert sizes[0] == sizes[1] and network().convs[0].conv.in_channels == len(CHANNELS)


@pytest.mark.parametrize("n_convs", [1, 4])
def test_more_convolutions_than_the_grid_can_be_halved_still_answer(n_convs: int, rock_salt: Structure) -> None:
    assert network(n_convs=n_convs, cube=2.0, pitch=1.0)(build_graph(rock_salt)).shape == (1, 2)


def test_its_loss_falls_on_a_handful_of_crystals(
    rock_salt: Structure, perovskite: Structure, low_symmetry: Structure, rutile: Structure
) -> None:
    graph = batch([build_graph(s) for s in (rock_salt, perovskite, low_symmetry, rutile)])
    model, truth = network().train(), torch.tensor([[-2.0, 0.0], [-3.0, 1.0], [0.5, 1.0], [-3.0, 0.0]])
    optimizer, losses = torch.optim.AdamW(model.parameters(), lr=0.01), []
    for _ in range(15):
        optimizer.zero_grad()
        loss = (model(graph) - truth).abs().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2
