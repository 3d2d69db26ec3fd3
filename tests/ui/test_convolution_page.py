"""The Convolution page shows the numbers of the network that it names."""

import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cgcnn.config import Config
from cgcnn.data.samples import load_sample
from cgcnn.explain.equations import number
from cgcnn.explain.record import record
from cgcnn.graph import build_graph
from cgcnn.models import CGCNN, AttentionCGCNN
from cgcnn.runs.store import RunStore
from cgcnn.training.experiment import RunConfig
from cgcnn.training.normalizer import Normalizer
from cgcnn.training.predictor import Predictor
from cgcnn.training.train import TrainConfig
from page_kit import echarts_titles, opened, tables

TABS = ["Step by step", "What if", "Attention", "Pooling", "Over-smoothing", "Code of this layer"]
ATTENDING = {"fresh_model": "attention CGCNN"}


def results(app: AppTest) -> list[str]:
    """What stands behind the last `=` of every equation."""
    return [element.value.strip("$\n ").rsplit("= ", 1)[1] for element in app.latex]


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize("network", ["untrained", "formation energy", "metal or not"])
def test_every_tab_opens_for_every_kind_of_network(app: AppTest, tab: str, network: str) -> None:
    opened(app, "convolution", network=network, conv_tab=tab)
    assert not app.exception and not app.error
    assert echarts_titles(app)[:2] == ["Messages to Na 1", "The vector of Na 1, layer by layer"]


def test_the_page_ends_in_the_numbers_that_the_network_recorded(app: AppTest) -> None:
    opened(app, "convolution", network="formation energy", layer="3", atom="5", edge="9", feature="12")
    model, graph = Predictor.published("formation energy").model, build_graph(load_sample("NaCl").structure)
    seen = record(model, graph, inside=True)
    own = (graph.center == 4).nonzero()[8, 0]
    core = seen.call("convs.2.activation").output[own, 11]
    found = results(app)
    assert number(float(seen.atom_vectors[3][4, 11])) in found and number(float(core)) in found


def test_a_link_opens_layer_edge_and_feature(app: AppTest) -> None:
    opened(app, "convolution", layer="2", edge="7", feature="30")
    chosen = [app.selectbox(key=f"{name}_choice").value for name in ("layer", "edge", "feature")]
    assert chosen == [1, 6, 29]


def test_of_many_edges_the_map_shows_the_page_that_holds_the_chosen_one(app: AppTest) -> None:
    opened(app, "convolution", rule="radius", edge="60")
    assert not app.exception
    assert echarts_titles(app)[0] == "Messages to Na 1, edges 49 to 92 of 92"


@pytest.mark.parametrize("link", [{"layer": "9"}, {"edge": "99"}, {"feature": "x"}, {"network": "nobody"}])
def test_a_wrong_link_still_opens_the_page(app: AppTest, link: dict[str, str]) -> None:
    opened(app, "convolution", **link)
    assert not app.exception and app.selectbox(key="layer_choice").value == 0
    assert ["no network 'nobody'" in error.value for error in app.error] == [True] * ("network" in link)


def test_the_statistics_of_one_atom_are_refused_in_a_sentence(app: AppTest) -> None:
    link = {"crystal": "Cu", "cell": "primitive", "conv_tab": "What if", "other_norm": "statistics of this crystal"}
    opened(app, "convolution", **link)
    assert not app.exception and "One atom alone has no variance" in app.error[0].value


@pytest.mark.parametrize(
    ("norm", "choices"),
    [("batch norm", ["as it is", "statistics of this crystal", "none"]), ("layer norm", ["as it is", "none"])],
)
def test_only_a_norm_that_changes_something_is_offered(app: AppTest, norm: str, choices: list[str]) -> None:
    opened(app, "convolution", fresh_norm=norm, conv_tab="What if")
    assert app.selectbox(key="other_norm").options == choices


def test_without_a_convolution_the_pooling_is_still_shown(app: AppTest) -> None:
    opened(app, "convolution", fresh_n_convs="0")
    assert not app.exception and "no convolution" in app.info[0].value and len(tables(app)) == 1


def test_without_messages_there_is_no_edge_to_choose(app: AppTest) -> None:
    opened(app, "convolution", fresh_conv="no convolution")
    assert "edge_choice" not in {box.key for box in app.selectbox}


@pytest.mark.parametrize("kind", ["gated", "weight-shared", "no convolution"])
def test_an_untrained_network_of_each_kind_is_taken_apart(app: AppTest, kind: str) -> None:
    opened(app, "convolution", fresh_conv=kind)
    assert not app.exception and not app.error and results(app)
    assert bool(app.info) == (kind == "no convolution"), "says that it has no messages"


def test_another_seed_gives_other_numbers(app: AppTest) -> None:
    first = results(opened(app, "convolution"))
    app.number_input(key="fresh_seed").set_value(5).run()
    assert results(app) != first


def test_without_a_change_what_if_shows_none_and_with_one_by_how_much(app: AppTest) -> None:
    opened(app, "convolution", network="formation energy", conv_tab="What if")
    assert not app.metric
    app.selectbox(key="other_norm").select("none").run()
    (far,) = app.metric
    assert "norm: none" in far.label and float(far.value.removesuffix(" %")) > 1


def test_the_weight_shared_form_is_shown_with_its_numbers(app: AppTest) -> None:
    opened(app, "convolution", network="formation energy", conv_tab="What if", other_form="weight-shared")
    assert not app.exception and len(results(app)) == 5


def test_the_code_is_the_source_of_the_layer_that_ran(app: AppTest) -> None:
    opened(app, "convolution", fresh_conv="weight-shared", conv_tab="Code of this layer")
    source = (Path(__file__).parents[2] / "cgcnn/nn/weight_shared_conv.py").read_text()
    assert app.code[0].value.startswith("class WeightSharedConv") and app.code[0].value.strip() in source


def test_pooling_compares_four_cells_and_mean_does_not_see_their_size(app: AppTest) -> None:
    opened(app, "convolution", network="formation energy", conv_tab="Pooling", rule="whole shells")
    (table,) = tables(app)
    assert table["atoms"].tolist() == [8, 8, 2, 16]
    assert set(table["mean: change of the vector"]) == {"0.00 %"}
    assert table["sum: change of the vector"].tolist() == ["0.00 %", "0.00 %", "75.00 %", "100.00 %"]
    assert len(set(table["what the network says"])) == 1


def a_run(home: Path, model: Config) -> str:
    """The id of a finished run with this network."""
    config = RunConfig(model=model, train=TrainConfig(epochs=1))
    runs = RunStore(home)
    run_id = runs.submit(config, name="mine")
    lease = runs.take("worker")
    about = {"config": config.to_dict(), "normalizer": Normalizer((0.0,), (1.0,)).to_dict(), "epoch": 1}
    runs.save_checkpoint(lease, config.new_model().state_dict(), about)
    runs.finish(lease, "finished")
    return run_id


def test_a_run_of_ones_own_is_taken_apart(app: AppTest, tmp_path: Path) -> None:
    run_id = a_run(tmp_path, CGCNN.Config(conv="weight-shared", n_convs=2))
    opened(app, "convolution", network=run_id, layer="2")
    assert not app.exception and not app.error
    assert app.selectbox(key="network_choice").value == run_id
    assert re.search(r"W_n", app.latex[0].value)


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_opens_for_an_untrained_network_with_attention(app: AppTest, tab: str) -> None:
    opened(app, "convolution", conv_tab=tab, fresh_attention="stabilised", fresh_heads="4", **ATTENDING)
    assert not app.exception and not app.error
    assert echarts_titles(app)[:2] == ["Messages to Na 1", "The vector of Na 1, layer by layer"]


def test_heads_that_do_not_divide_the_vector_are_a_sentence(app: AppTest) -> None:
    opened(app, "convolution", fresh_heads="3", **ATTENDING)
    assert not app.exception and "3 heads cannot share" in app.error[0].value


def test_a_network_without_attention_is_given_the_published_score(app: AppTest) -> None:
    opened(app, "convolution", network="formation energy", conv_tab="Attention", layer="4")
    said = " ".join(element.value for element in app.markdown)
    assert "does not attend" in said and "scores in layer 1 are 2.02 to 4.17" in said
    assert "**1.253 ± 1.4 %**" in said
    (table,) = tables(app)
    assert table["Score"].tolist() == ["published score"] * 4 and table["Neighbors that count"].iloc[3] < 7


def test_a_run_that_learned_its_score_is_shown_beside_the_published_one(app: AppTest, tmp_path: Path) -> None:
    run_id = a_run(tmp_path, AttentionCGCNN.Config(attention="stabilised", heads=2, n_convs=2))
    opened(app, "convolution", network=run_id, conv_tab="Attention", attention_head="2")
    assert not app.exception and not app.error
    assert app.selectbox(key="attention_head").options == ["1", "2"]
    (table,) = tables(app)
    assert table["Score"].tolist() == ["learned score"] * 2 + ["published score"] * 2
    app.selectbox(key="layer_again").select_index(1).run()
    assert app.selectbox(key="layer_choice").value == 1


def test_equal_weights_change_the_atom_and_the_code_shows_the_score(app: AppTest) -> None:
    opened(app, "convolution", conv_tab="What if", other_form="equal weights", **ATTENDING)
    assert "equal weights" in app.metric[0].label
    app.query_params["conv_tab"] = "Code of this layer"
    opened(app, "convolution", conv_tab="Code of this layer")
    assert [code.value.split("(")[0] for code in app.code] == ["class AttentionConv", "class PublishedScore"]
