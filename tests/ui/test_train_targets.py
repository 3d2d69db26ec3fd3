"""The Train page with several targets, with classes, and with a network that begins with parts of another."""

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from streamlit.testing.v1 import AppTest

from cgcnn.runs.records import Lease
from cgcnn.runs.store import RunStore
from cgcnn.training.experiment import RunConfig
from cgcnn.ui.run_change import changed, knobs
from page_kit import echarts_titles, opened
from train_kit import DATA, Event, batch, chooser, enabled, epoch, words, worked


@pytest.fixture
def runs(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path)


SEVERAL = {"dataset.target": "band_gap", "dataset.also": ("metal",)}
GAP, METAL = "Band gap (non-metals)", "Metal or not"
OF_GAP = {"mae": 0.5, "mean_mae": 1.0, "median_mae": 1.0, "ids": ["a", "b"], "formulas": ["NaCl", "MgO"]}
OF_GAP |= {"truth": [5.0, 4.0], "predicted": [5.5, 3.5]}
OF_METAL = OF_GAP | {"mae": 0.25, "ids": list("cdef"), "formulas": ["Cu", "Si", "Al", "MgO"]}
OF_METAL |= {"truth": [1.0, 0.0, 1.0, 0.0], "predicted": [0.9, 0.2, 0.6, 0.7]}
LABELS = {"labels": {"band_gap": [60, 6, 6], "metal": [50, 5, 5]}, "val_mean_maes": [0.6, 0.4]}


def several_epochs(n: int) -> list[Event]:
    maes: dict[str, Any] = {"train_maes": [0.4, 0.2], "val_maes": [0.5, 0.25]}
    return [(kind, at, data | maes | {"score": abs(at - 2.0)}) for kind, at, data in map(epoch, range(1, n + 1))]


def of_several(runs: RunStore) -> str:
    test: Event = ("test", 1, OF_GAP | {"best_epoch": 2, "others": {"metal": OF_METAL}})
    data: Event = ("data", 1, DATA[2] | LABELS)
    run_id = runs.submit(RunConfig().with_(**SEVERAL), name="Two targets")
    lease = runs.take("worker-1")
    assert isinstance(lease, Lease)
    runs.record(lease, [data, *several_epochs(3), test])
    runs.finish(lease, "finished")
    return run_id


def metrics(app: AppTest) -> dict[str, str]:
    return {m.label: m.value for m in app.metric}


def test_a_run_with_several_targets_shows_one_at_a_time_each_in_its_own_unit(app: AppTest, runs: RunStore) -> None:
    opened(app, "train", run=of_several(runs))
    assert metrics(app) == {"Test MAE (eV)": "0.500", "Validation MAE (eV)": "0.250"}, "epoch 2 has the best score"
    assert app.dataframe[0].value.to_numpy().tolist() == [[GAP, 60, 6, 6], [METAL, 50, 5, 5]]
    app.segmented_control(key="of_target").set_value(METAL).run()
    assert not app.exception and echarts_titles(app) == ["Share wrong after each epoch"]
    told = {"Test share wrong": "25.0 %", "Test ROC AUC": "0.750", "Validation share wrong": "25.0 %"}
    assert told.items() <= metrics(app).items() and "Test NLL" in metrics(app)
    assert len(app.get("plotly_chart")) == 3 and "**75.0 %** of 4 crystals" in words(app)


def test_the_loss_of_several_targets_is_said_to_be_that_of_all(app: AppTest, runs: RunStore) -> None:
    opened(app, "train", run=of_several(runs), curve="loss")
    assert echarts_titles(app) == ["Loss of all targets together"]


def test_a_run_that_starts_from_another_says_how_and_how_much_of_it_learns(app: AppTest, runs: RunStore) -> None:
    opened(app, "train", run=worked(runs, epoch(1), **{"transfer.source": "published: band gap"}))
    said = words(app).replace("\\", "")
    assert "Starts from published band gap, 1 convolution frozen; " in said and "of its weights learn" in said


def test_the_threshold_moves_the_confusions_and_stands_in_the_link(app: AppTest, runs: RunStore) -> None:
    opened(app, "train", run=of_several(runs), of_target=METAL, threshold="0.8")
    assert "From 0.80 on: **75.0 %** of 4 crystals in the right class" in words(app) and not app.exception


@pytest.mark.parametrize("tab", ["Error by element", "The crystal in view", "Save"])
def test_every_tab_of_a_result_opens_for_a_class(app: AppTest, runs: RunStore, tab: str) -> None:
    assert not opened(app, "train", run=of_several(runs), of_target=METAL, result=tab).exception


def test_the_target_of_another_run_is_forgotten(app: AppTest, runs: RunStore) -> None:
    alone = worked(runs, epoch(1), state="finished")
    opened(app, "train", run=of_several(runs), of_target=METAL)
    title = next(title for title in chooser(app).options if alone in title)
    chooser(app).set_value(title).run()
    assert not app.exception and echarts_titles(app) == ["Mean absolute error after each epoch"]


def test_further_targets_are_chosen_by_their_names_in_the_link(app: AppTest, runs: RunStore) -> None:
    opened(app, "train", data_also="metal,band_gap", train_weights="1,2,0")
    assert app.multiselect(key="data_also").value == ["metal", "band_gap"] and "have more than one" in words(app)
    next(b for b in app.button if b.label == "Train").click().run()
    (run,) = runs.runs()
    assert run.config.dataset.also == ("metal", "band_gap") and run.config.train.weights == "1,2,0"
    assert run.name.startswith(f"Formation energy + {METAL} + {GAP}, ")


def test_the_weights_and_the_words_on_classes_are_there_only_where_they_mean_something(app: AppTest) -> None:
    opened(app, "train")
    assert "Weights of the targets" not in [field.label for field in app.text_input]
    app.multiselect(key="data_also").set_value(["metal"]).run()
    assert "Weights of the targets" in [field.label for field in app.text_input]
    assert app.query_params["data_also"] in ("metal", ["metal"])
    assert "takes the negative log-likelihood" in words(app)


def test_the_main_target_leaves_the_further_ones(app: AppTest) -> None:
    opened(app, "train", data_also="band_gap")
    app.selectbox(key="data_target").set_value("Band gap (non-metals) (eV)").run()
    assert app.multiselect(key="data_also").value == [] and not app.exception and not app.error


def test_an_unknown_further_target_is_told(app: AppTest) -> None:
    opened(app, "train", data_also="color")
    assert any("The link sets Learn also to 'color'" in e.value for e in app.error)


def test_of_several_further_targets_the_wrong_one_is_named_and_the_others_are_kept(app: AppTest) -> None:
    opened(app, "train", data_also="metal,bandgap")
    said = app.error[0].value.replace("\\", "")
    assert "'bandgap' is none of" in said and "so metal is used" in said
    assert app.multiselect(key="data_also").value == ["metal"]


def test_a_lesson_can_lock_the_further_targets(app: AppTest) -> None:
    opened(app, "train", data_also="metal", lock="data_also")
    assert app.multiselect(key="data_also").disabled and app.multiselect(key="data_also").value == ["metal"]


@pytest.mark.parametrize("weights", ["1", "1,", "1; 2"])
def test_wrong_weights_are_one_sentence_and_leave_the_run_and_its_buttons(
    app: AppTest, runs: RunStore, weights: str
) -> None:
    run_id = worked(runs, batch(1))
    opened(app, "train", data_also="metal", train_weights=weights, run=run_id)
    assert not app.exception and "give 2 numbers" in app.error[0].value and "give 2 numbers" in words(app)
    assert train_button(app).disabled and "pause" in enabled(app)
    app.text_input(key="train_weights").set_value("1, 2").run()
    assert not app.error and not train_button(app).disabled


def test_weights_in_a_link_mean_nothing_for_one_target(app: AppTest, runs: RunStore) -> None:
    train_button(opened(app, "train", train_weights="1")).click().run()
    assert not app.error and runs.runs(1)[0].config.train.weights == ""


def test_settings_that_contradict_each_other_leave_the_run_in_view(app: AppTest, runs: RunStore) -> None:
    opened(app, "train", model="attention CGCNN", net_atom_dim="33", net_heads="4", run=worked(runs, batch(1)))
    assert train_button(app).disabled and "pause" in enabled(app) and not app.exception


def train_button(app: AppTest) -> Any:
    return next(b for b in app.button if b.label == "Train")


def test_a_network_can_begin_with_a_published_one(app: AppTest, runs: RunStore) -> None:
    opened(app, "train", start_source="published: band gap", start_taken="2")
    assert not app.warning and not train_button(app).disabled
    train_button(app).click().run()
    (run,) = runs.runs()
    assert (run.config.transfer.published, run.config.transfer.taken) == ("band gap", 2)
    assert "from published band gap, 2 convolutions frozen" in run.name


def test_a_source_that_does_not_fit_is_told_before_training_and_its_settings_can_be_taken(app: AppTest) -> None:
    opened(app, "train", start_source="published: band gap", net_atom_dim="32", net_norm="none")
    assert "The source does not fit" in app.warning[0].value and train_button(app).disabled
    next(b for b in app.button if "network settings" in b.label).click().run()
    assert not app.warning and not train_button(app).disabled
    assert app.number_input(key="net_atom_dim").value == 64 and app.selectbox(key="net_norm").value == "batch norm"


def test_settings_that_are_taken_over_come_without_a_default_beside_them(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(app, "train", start_source="published: band gap", net_atom_dim="32", net_norm="none")
    log = Mock()
    monkeypatch.setattr("streamlit.elements.lib.policies.runtime", Mock(exists=lambda: True))
    monkeypatch.setattr("streamlit.elements.lib.policies._LOGGER", log)
    monkeypatch.setattr("streamlit.elements.lib.policies._shown_default_value_warning", False)
    next(b for b in app.button if "network settings" in b.label).click().run()
    assert not log.warning.called and app.number_input(key="net_atom_dim").value == 64


@pytest.mark.parametrize(
    ("link", "flattered"),
    [
        ({"start_source": "published: formation energy"}, True),
        ({"start_source": "published: band gap"}, False),
        ({"data_seed": "7"}, True),
        ({}, False),
    ],
)
def test_a_source_that_may_know_the_test_crystals_is_told(
    app: AppTest, runs: RunStore, link: dict[str, str], flattered: bool
) -> None:
    opened(app, "train", **{"start_source": worked(runs, batch(1))} | link)
    assert any("would flatter it" in w.value for w in app.warning) is flattered and not train_button(app).disabled


def test_a_change_that_the_source_forbids_cannot_be_trained(app: AppTest, runs: RunStore) -> None:
    old = worked(runs, epoch(1), state="finished", **{"transfer.source": "published: band gap"})
    opened(app, "train", run=old)
    app.session_state[f"change_{old}"] = True
    app.run()
    app.selectbox(key="change_setting").set_value("model").run()
    assert app.button(key="change_train").disabled and "of another kind" in app.warning[0].value


def test_a_hidden_start_says_its_sentence_once(app: AppTest) -> None:
    opened(app, "train", start_source="published: band gap", hide="start_*")
    assert words(app).count("has set what stands here") == 1


def test_locked_settings_of_the_network_are_not_taken_over(app: AppTest) -> None:
    opened(app, "train", start_source="published: band gap", net_atom_dim="32", lock="net_*")
    assert app.warning and not [b for b in app.button if "network settings" in b.label]


def test_more_convolutions_than_there_are_cannot_be_taken_over(app: AppTest) -> None:
    opened(app, "train", start_source="published: band gap", net_n_convs="1", start_taken="2")
    assert "this network has 1; take 1 at most" in app.warning[0].value and train_button(app).disabled


def test_a_network_can_begin_with_a_run_that_is_still_at_work(app: AppTest, runs: RunStore) -> None:
    source = worked(runs, batch(1), name="The source")
    opened(app, "train", start_source=source, graph_rule="radius")
    assert f"run: The source · {source}" in app.selectbox(key="start_source").options
    train_button(app).click().run()
    assert runs.runs(1)[0].config.transfer.run == source
    assert f"it starts from run {source}" in words(app).replace("\\", "") and not app.exception


@pytest.mark.parametrize("source", ["deadbeef", "published: nothing"])
def test_a_source_that_is_not_here_is_one_sentence_and_the_network_starts_from_scratch(
    app: AppTest, source: str
) -> None:
    opened(app, "train", start_source=source)
    assert not app.exception and len(app.error) == 1 and "starts from scratch" in app.error[0].value
    assert app.selectbox(key="start_source").value == "" and not train_button(app).disabled


def test_what_means_nothing_for_the_start_is_not_offered(app: AppTest) -> None:
    assert "start_taken" not in opened(app, "train").session_state
    app.selectbox(key="start_source").set_value("published: band gap").run()
    app.toggle(key="start_frozen").set_value(False).run()
    labels = [widget.label for widget in [*app.toggle, *app.number_input]]
    assert "Rate of what was taken over" in labels and "Batch norm moves on" not in labels


def test_changing_the_main_target_keeps_the_others_without_it_and_weighs_them_alike() -> None:
    config = RunConfig().with_(**{"dataset.also": ("band_gap", "metal"), "train.weights": "1,2,3"})
    after = changed(config, "dataset.target", "metal")
    assert after.dataset.targets == ("metal", "band_gap") and after.train.weights == ""
    same = changed(config, "dataset.target", "density")
    assert same.dataset.also == ("band_gap", "metal") and same.train.weights == "1,2,3"


def test_settings_without_meaning_cannot_be_changed() -> None:
    names = knobs(RunConfig())
    assert "train.weights" not in names and "transfer.taken" not in names and "transfer.source" in names
    frozen = knobs(RunConfig().with_(**{"transfer.source": "published: band gap"}))
    assert "transfer.norm_learns" in frozen and "transfer.rate" not in frozen
