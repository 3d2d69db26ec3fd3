"""The Compare page: differences only, honest warnings, and a run looked back at epoch by epoch."""

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from streamlit.testing.v1 import AppTest

from cgcnn.data.samples import load_sample
from cgcnn.graph import batch, build_graph
from cgcnn.models import CGCNN, MODELS
from cgcnn.nn.mixed import mixed
from cgcnn.runs.export import export_zip
from cgcnn.runs.imported import import_zip
from cgcnn.runs.records import Run
from cgcnn.runs.store import RunStore
from cgcnn.training.experiment import RunConfig
from cgcnn.ui import epoch_view
from cgcnn.ui.compare_differences import (
    Compared,
    copies_words,
    differing,
    doubts,
    headings,
    label_of,
    paired_words,
    repeats,
    settings_of,
    shared_words,
    value_of,
)
from cgcnn.ui.compare_runs import error_columns, table_rows
from cgcnn.ui.epoch_cached import layer_gates
from page_kit import echarts_titles, opened, tables

EPOCH = {"train_loss": 1.0, "val_loss": 1.0, "train_mae": 0.5, "learning_rate": 0.1, "crystals_per_second": 9.0}


def compared(number: int = 0, mae: float | None = None, ids: tuple[str, ...] = ("a", "b"), **changes: Any) -> Compared:
    config = RunConfig().with_(**changes)
    run = Run("0" * 8, "", "", "", config.to_dict(), "finished", "run", "", 1, "", "", 0.0, 0.0, 0.0)
    test: dict[str, Any] = {}
    if mae is not None:
        test = {"mae": mae, "ids": list(ids), "truth": [0.0] * len(ids), "predicted": [mae] * len(ids)}
    return Compared(run, config, number, settings_of(config), test=test)


def test_only_what_differs_is_told_apart() -> None:
    runs = [compared(), compared(1, **{"model.n_convs": 1, "train.seed": 4})]
    assert differing(runs) == ["model.n_convs", "train.seed"]
    assert headings(runs, ["graph.cutoff"]) == {"graph.cutoff": "Cutoff r (Å)"}


def test_how_many_epochs_were_kept_is_no_difference() -> None:
    assert differing([compared(), compared(1, **{"train.snapshots": 0})]) == []


def test_a_setting_that_one_kind_of_network_lacks_is_a_difference() -> None:
    one, other = compared(), compared(1)
    lacking = {name: s for name, s in other.settings.items() if name != "model.pooling"}
    other = Compared(other.run, other.config, 1, lacking)
    assert differing([one, other]) == ["model.pooling"] and value_of(other, "model.pooling") == "–"


def test_what_is_shared_is_one_sentence() -> None:
    runs = [compared(), compared(1, **{"model.n_convs": 1})]
    words = shared_words(runs, differing(runs))
    assert words.startswith("All else is equal: target Formation energy (eV/atom), the built-in set")
    assert "split by chemical system" in words and "k = 12" in words and words.endswith("60 epochs.")
    assert "seed" not in shared_words(runs, ["train.seed"])


def test_a_label_says_what_is_unusual_about_a_run() -> None:
    runs = [compared(), compared(1), compared(2, **{"model.n_convs": 1})]
    assert label_of(runs[2], differing(runs), runs) == "C · Convolutions 1"


def test_other_targets_and_other_test_crystals_must_not_be_ranked() -> None:
    assert "different targets" in doubts([compared(), compared(1, **{"dataset.target": "band_gap"})])[0]
    assert "other test crystals" in doubts([compared(0, 0.1), compared(1, 0.2, ids=("a", "c"))])[0]
    assert "other test crystals" in doubts([compared(), compared(1, **{"dataset.seed": 3})])[0]
    assert doubts([compared(0, 0.1), compared(1, 0.2)]) == []


def test_equal_test_crystals_but_other_validation_crystals_leave_the_test_error() -> None:
    runs = [compared(0, 0.1), compared(1, 0.2, **{"dataset.val_fraction": 0.2})]
    assert "compare the test MAE only" in doubts(runs)[0]


def test_repeats_are_runs_equal_but_for_the_seed_and_one_seed_counts_once() -> None:
    seeds = [compared(n, 0.1 + 0.1 * n, **{"train.seed": n}) for n in range(3)]
    other = compared(4, 0.9, **{"model.n_convs": 1})
    groups = repeats([*seeds, compared(3, 0.5, **{"train.seed": 2}), other, compared(5)])
    assert [group.words for group in groups] == ["0.200 ± 0.100 (n = 3)", "0.900 (n = 1)"]


def test_two_runs_are_compared_crystal_by_crystal() -> None:
    words = paired_words(compared(0, 0.1), compared(1, 0.3))
    assert "A errs by 0.200 ± 0.000 eV/atom less than B" in words and "same 2 test crystals" in words


def said(epochs: int, mae: float, formulas: tuple[str, ...] = ("NaCl", "MgO")) -> list[tuple[str, int, dict[str, Any]]]:
    data = {"n_train": 9, "n_val": 2, "n_test": 2, "n_parameters": 80, "device": "cpu", "val_mean_mae": 1.0}
    data |= {"n_left_out": 0, "n_dropped": 0, "dropped": {}}
    found: list[tuple[str, int, dict[str, Any]]] = [("data", 1, data)]
    found += [("epoch", n, EPOCH | {"epoch": n, "val_mae": mae + 1 / n, "seconds": 0.1}) for n in range(1, epochs + 1)]
    test = {"best_epoch": epochs, "mae": mae, "mean_mae": 1.0, "median_mae": 1.0, "ids": ["a", "b"]}
    test |= {"formulas": list(formulas), "truth": [0.0, 1.0], "predicted": [mae, 1 - mae]}
    return [*found, ("test", 1, test)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    opened_store = RunStore(tmp_path)
    yield opened_store
    opened_store.close()


def adopted(store: RunStore, mae: float = 0.2, user: str = "", **changes: Any) -> str:
    config = RunConfig().with_(**{"train.epochs": 3} | changes)
    return store.adopt(config, said(3, mae), None, name=f"run with {mae}", user=user)


def test_the_page_shows_the_latest_runs_by_their_differences(app: AppTest, store: RunStore) -> None:
    adopted(store, 0.3)
    adopted(store, 0.2, **{"model.n_convs": 1})
    opened(app, "compare")
    assert not app.exception and not app.error
    table = tables(app)[0]
    assert list(table["Convolutions"]) == ["1", "3"] and list(table["Test MAE (eV/atom)"]) == [0.2, 0.3]
    assert "Activation g" not in table and any("All else is equal" in m.value for m in app.markdown)
    assert echarts_titles(app) == ["Mean absolute error on the validation crystals"]
    assert len(app.get("plotly_chart")) == 3, "two parity plots and the periodic table"


def test_seeds_are_shown_as_mean_and_spread(app: AppTest, store: RunStore) -> None:
    for seed, mae in enumerate((0.1, 0.2, 0.3)):
        adopted(store, mae, **{"train.seed": seed})
    opened(app, "compare")
    assert "0.200 ± 0.100 (n = 3)" in tables(app)[1].to_string()


def test_runs_of_other_targets_are_warned_of(app: AppTest, store: RunStore) -> None:
    first, second = adopted(store), adopted(store, **{"dataset.target": "band_gap"})
    opened(app, "compare", runs=f"{first},{second}")
    assert not app.exception and "do not rank them" in app.warning[0].value and "Unit" in tables(app)[0]


def test_an_id_that_is_not_here_is_one_sentence_and_the_rest_is_shown(app: AppTest, store: RunStore) -> None:
    run_id = adopted(store)
    opened(app, "compare", runs=f"deadbeef,{run_id}")
    assert not app.exception and len(app.error) == 1 and "deadbeef" in app.error[0].value.replace("\\", "")
    assert app.multiselect(key="compare_choice").value == [run_id]


def test_the_choice_stands_in_the_link_and_may_be_empty(app: AppTest, store: RunStore) -> None:
    first, second = adopted(store, 0.1), adopted(store, 0.2)
    opened(app, "compare")
    app.multiselect(key="compare_choice").set_value([first]).run()
    assert first in app.query_params["runs"][0] or first in app.query_params["runs"]
    app.multiselect(key="compare_choice").set_value([]).run()
    assert not app.exception and any("Choose runs above" in i.value for i in app.info)
    app.multiselect(key="compare_choice").set_value([second]).run()
    assert not app.exception and not app.info


def test_an_element_can_be_compared_and_a_letter_that_left_is_forgotten(app: AppTest, store: RunStore) -> None:
    first, second = adopted(store, 0.1), adopted(store, 0.2, **{"model.n_convs": 1})
    opened(app, "compare", runs=f"{first},{second}")
    app.segmented_control(key="element_other").set_value("B").run()
    title = json.loads(app.get("plotly_chart")[-1].proto.spec)["layout"]["title"]["text"]
    assert title.startswith("Error of A minus error of B")
    app.multiselect(key="compare_choice").set_value([first]).run()
    assert not app.exception


@pytest.mark.parametrize("state", ["queued", "failed"])
def test_a_run_without_epochs_is_in_the_table_and_breaks_nothing(app: AppTest, store: RunStore, state: str) -> None:
    run_id = store.submit(RunConfig())
    if state == "failed":
        lease = store.take("w")
        assert lease is not None
        store.finish(lease, "failed", "It failed.")
    opened(app, "compare", runs=run_id)
    assert not app.exception and list(tables(app)[0]["State"]) == [state]


def test_only_one_persons_runs_can_be_listed(app: AppTest, store: RunStore) -> None:
    adopted(store, user="ada")
    other = adopted(store, user="bob")
    opened(app, "compare", whose="bob", runs=other)
    assert len(app.multiselect(key="compare_choice").options) == 1


def test_a_run_comes_back_through_the_uploader(app: AppTest, store: RunStore) -> None:
    run_id = adopted(store)
    opened(app, "compare")
    app.file_uploader(key="run_zip").upload("run.zip", export_zip(store, run_id)).run()
    assert not app.exception and not app.error and len(store.runs()) == 2
    assert len(app.multiselect(key="compare_choice").value) == 2 and any("is here now" in s.value for s in app.success)


def test_a_wrong_zip_is_one_sentence_on_the_page(app: AppTest, store: RunStore) -> None:
    adopted(store)
    out = io.BytesIO()
    zipfile.ZipFile(out, "w").close()
    opened(app, "compare")
    app.file_uploader(key="run_zip").upload("x.zip", out.getvalue()).run()
    assert len(app.error) == 1 and len(store.runs()) == 1 and not app.exception


@pytest.mark.parametrize("uri", ["", "sqlite:///nowhere.db"])
def test_mlflow_is_offered_only_where_the_server_has_one(
    app: AppTest, store: RunStore, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    adopted(store)
    opened(app, "compare")
    assert any(b.label == "Send to MLflow" for b in app.button) == bool(uri)


def kept_run(
    store: RunStore,
    epochs: tuple[int, ...] = (0, 1, 3),
    conv: str = "gated",
    target: str = "formation_energy_per_atom",
) -> str:
    """A run whose networks of some epochs were kept; they get louder from epoch to epoch."""
    config = RunConfig().with_(**{"train.epochs": 3, "model.atom_dim": 8, "model.hidden_dim": 8, "model.conv": conv})
    config = config.with_(**{"dataset.target": target})
    run_id = store.adopt(config, said(3, 0.2), None, name="kept", user="")
    about = {"config": config.to_dict(), "normalizer": {"mean": [0.0], "std": [1.0], "per_atom": False}}
    truth = [0.0, 1.0, 1.0] if target == "metal" else [0.0, 1.0, 2.0]
    about |= {"ids": ["a", "b", "c"], "formulas": ["NaCl", "MgO", "Si"], "truth": truth}
    for epoch in epochs:
        weights = {f"weights.{name}": w for name, w in config.new_model().state_dict().items()}
        tensors = {"predicted": torch.full((3,), float(epoch)), "vectors": torch.eye(3, 8) * (epoch + 1)}
        file = store.networks.epochs_folder(run_id) / f"{epoch}.safetensors"
        store.networks.write(file, weights | tensors, about | {"epoch": epoch})
    return run_id


def look_back(app: AppTest, **link: str) -> AppTest:
    return opened(app, "compare", compare_tab="Epoch by epoch", **link)


def test_looking_back_begins_at_the_last_kept_epoch(app: AppTest, store: RunStore) -> None:
    kept_run(store)
    titles = echarts_titles(look_back(app))
    assert not app.exception and not app.error
    assert (
        titles[0] == "Predicted against true, after epoch 3"
        and "Gates of all edges of NaCl, epoch 3: how open" in titles
    )
    assert app.select_slider[0].value == 3


def test_a_link_opens_the_nearest_kept_epoch_and_steps_go_from_there(app: AppTest, store: RunStore) -> None:
    run_id = kept_run(store)
    look_back(app, epochs_of=run_id, epoch="2")
    assert app.select_slider[0].value == 1
    next(b for b in app.button if b.label == "Back").click().run()
    assert echarts_titles(app)[0] == "Predicted against true, untrained"


def test_playing_goes_from_the_beginning_to_the_end_and_stops(
    app: AppTest, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(epoch_view, "STEP_EVERY", 1000.0)
    kept_run(store)
    look_back(app)
    next(b for b in app.button if b.label == "Play").click().run()
    shown = [app.select_slider[0].value]
    for _ in range(3):
        assert any(b.label == "Pause" for b in app.button)
        app.session_state["epoch_moved"] = -1e9  # it is time for the next one
        shown.append(app.run().select_slider[0].value)
    assert shown == [0, 1, 3, 3] and any(b.label == "Play" for b in app.button) and not app.exception


def test_axes_and_colors_stay_from_epoch_to_epoch(app: AppTest, store: RunStore) -> None:
    run_id = kept_run(store)
    look_back(app, epochs_of=run_id, epoch="0")
    before = [json.loads(chart.proto.spec) for chart in app.get("echarts_chart")]
    app.select_slider[0].set_value(3).run()
    after = [json.loads(chart.proto.spec) for chart in app.get("echarts_chart")]
    for one, other in zip(before, after, strict=True):
        assert one["xAxis"] == other["xAxis"] and one["yAxis"] == other["yAxis"]
        assert one.get("visualMap") == other.get("visualMap")


def test_a_run_without_kept_networks_says_why(app: AppTest, store: RunStore) -> None:
    look_back(app, epochs_of=adopted(store))
    assert not app.exception and "kept no networks" in app.info[0].value


def test_a_layer_without_gates_is_told(app: AppTest, store: RunStore) -> None:
    look_back(app, epochs_of=kept_run(store, conv="weight-shared"))
    assert not app.exception and any("have no gates" in i.value for i in app.info)


@pytest.mark.parametrize("link", [{"epochs_of": "deadbeef"}, {"epoch": "x"}, {"epoch": "99999999"}])
def test_a_wrong_link_still_looks_back(app: AppTest, store: RunStore, link: dict[str, str]) -> None:
    kept_run(store)
    look_back(app, **link)
    assert not app.exception and len(app.error) == ("epochs_of" in link) and len(app.get("echarts_chart")) == 4


def test_the_gates_are_the_sigmoid_that_each_layer_applies() -> None:
    model = CGCNN(CGCNN.Config(n_convs=2, atom_dim=8)).eval()
    graph = batch([build_graph(load_sample("NaCl").structure)])
    gates = layer_gates(model, graph)
    layer = model.convs[0]
    v, u = model.embed(model.atom_vectors)[graph.atomic_numbers - 1], model.embed_edge(graph.distance)
    expected = torch.sigmoid(layer.norm_message(mixed(layer.linear, v, u, graph)).chunk(2, dim=1)[0])
    assert len(gates) == 2
    torch.testing.assert_close(gates[0], expected)


def test_errors_have_equally_many_decimals() -> None:
    columns = error_columns(
        [{"Test MAE (eV)": 0.655, "Validation MAE (eV)": 0.6524}, {"Test MAE (eV)": None, "Validation MAE (eV)": 0.7}]
    )
    assert {column["type_config"]["format"] for column in columns.values()} == {"%.4f"}
    assert error_columns([{"Test MAE (GPa)": 12.3}])["Test MAE (GPa)"]["type_config"]["format"] == "%.2f"


def test_equal_labels_are_told_apart_by_the_names_or_ids_of_the_runs() -> None:
    runs = [compared(), compared(1), compared(2, **{"model.n_convs": 1})]
    named = [replace(one, run=replace(one.run, name=name)) for one, name in zip(runs, ("mine", "back"), strict=False)]
    assert [label_of(one, ["model.n_convs"], [*named, runs[2]]) for one in named] == ["A · mine", "B · back"]
    assert label_of(runs[0], ["model.n_convs"], runs) == "A · 00000000"


def test_a_run_brought_back_beside_its_original_is_said_to_be_a_copy(app: AppTest, store: RunStore) -> None:
    first = adopted(store)
    again = import_zip(store, export_zip(store, first))
    other = adopted(store, 0.3, **{"train.seed": 1})
    opened(app, "compare", runs=f"{first},{again},{other}")
    assert not app.exception and any(
        "A and B have the same settings and the same numbers" in m.value for m in app.markdown
    )
    assert copies_words([compared(), compared(1)]) == "", "of runs without an epoch nothing is known"


def test_wrong_ids_are_one_sentence_and_leave_the_link(app: AppTest, store: RunStore) -> None:
    run_id = adopted(store)
    opened(app, "compare", runs=f"deadbeef,zzz,{run_id}")
    assert len(app.error) == 1 and "deadbeef and zzz" in app.error[0].value and "start" not in app.error[0].value
    assert app.query_params["runs"] in (run_id, [run_id])


def test_epochs_that_came_late_stand_in_their_place(app: AppTest, store: RunStore) -> None:
    config = RunConfig().with_(**{"train.epochs": 3})
    data, first, second, *rest = said(3, 0.2)
    run_id = store.adopt(config, [data, second, first, *rest], None, name="late")
    opened(app, "compare", runs=run_id)
    (curve,) = [json.loads(chart.proto.spec) for chart in app.get("echarts_chart")]
    assert [place for place, _ in curve["series"][0]["data"]] == [1, 2, 3]


def of_class(mae: float = 0.5) -> dict[str, Any]:
    return {"mae": mae, "ids": ["a", "b"], "truth": [0.0, 1.0], "predicted": [0.7, 0.6]}


def test_runs_with_several_targets_are_compared_by_one_that_they_share() -> None:
    several = {"dataset.target": "band_gap", "dataset.also": ("metal",)}
    one, other = compared(0, 0.1, **several), compared(1, 0.2, **{"dataset.target": "metal"})
    assert "A band gap (non-metals), B metal or not" in doubts([one, other])[0]
    by_metal = [replace(run, of="metal") for run in (one, other)]
    assert doubts(by_metal) == [] and {run.target.label for run in by_metal} == {"Metal or not"}
    assert [run.shown.index for run in by_metal] == [1, 0]


def test_a_start_is_a_difference_in_words_and_scratch_has_no_frozen_layers() -> None:
    source = {"transfer.source": "published: band gap", "transfer.taken": 2}
    runs = [compared(), compared(1, **source)]
    names = differing(runs)
    assert names == ["transfer.source", "transfer.taken", "transfer.frozen", "transfer.norm_learns"]
    assert [value_of(run, "transfer.source") for run in runs] == ["from scratch", "published: band gap"]
    assert value_of(runs[0], "transfer.taken") == "–" and label_of(runs[0], names, runs) == "A · from scratch"


def test_a_class_is_compared_by_the_share_that_is_wrong() -> None:
    runs = [replace(compared(n, 0.5, **{"dataset.target": "metal"}), test=of_class()) for n in (0, 1)]
    (row, _) = table_rows(runs, [])
    assert row["Test share wrong (%)"] == 50.0 and row["Test AUC"] == 0.0 and "Unit" not in row
    mixed = table_rows([runs[0], compared(1, 0.2)], [])
    assert [row["Unit"] for row in mixed] == ["%", "eV/atom"] and "Test error (eV/atom)" not in mixed[0]
    assert error_columns(mixed).keys() == {"Test error", "Validation error"}


def with_others(store: RunStore, **changes: Any) -> str:
    several = {"train.epochs": 3, "dataset.target": "band_gap", "dataset.also": ("metal",)}
    config = RunConfig().with_(**several | changes)
    data, *epochs, (kind, at, test) = said(3, 0.2)
    more = {"train_maes": [0.5, 0.3], "val_maes": [0.5, 0.4], "score": 0.1}
    others = {"metal": of_class() | {"mean_mae": 0.5, "median_mae": 0.5, "formulas": ["NaCl", "Cu"]}}
    events = [data, *((k, n, e | more) for k, n, e in epochs), (kind, at, test | {"others": others})]
    return store.adopt(config, events, None, name="several")


def test_the_page_compares_by_the_target_that_is_chosen(app: AppTest, store: RunStore) -> None:
    first, second = with_others(store), with_others(store, **{"model.n_convs": 1})
    opened(app, "compare", runs=f"{first},{second}")
    assert list(tables(app)[0]["Test MAE (eV)"]) == [0.2, 0.2] and not app.exception
    app.segmented_control(key="compare_of").set_value("Metal or not").run()
    assert list(tables(app)[0]["Test share wrong (%)"]) == [50.0, 50.0] and not app.exception
    assert echarts_titles(app) == ["Share wrong on the validation crystals"]
    assert len(app.get("plotly_chart")) == 4, "ROC curves, two tables of confusions and the periodic table"
    app.segmented_control(key="element_other").set_value("B").run()
    assert not app.exception


def test_a_run_without_the_compared_target_has_no_curve_on_its_axis(app: AppTest, store: RunStore) -> None:
    runs = [with_others(store), adopted(store)]
    opened(app, "compare", runs=",".join(runs), compare_of="Metal or not")
    (chart,) = app.get("echarts_chart")
    assert [name[0] for name in json.loads(chart.proto.spec)["legend"]["data"]] == ["A"]
    assert any("Not drawn: B, which does not learn “Metal or not”" in c.value for c in app.caption)
    assert app.dataframe[0].proto.placeholder == "–"
    app.segmented_control(key="compare_class_metric").set_value("loss").run()
    assert not any("Not drawn" in c.value for c in app.caption), "all of them have a loss"


def test_other_targets_and_other_test_crystals_are_both_told() -> None:
    one, other = compared(0, 0.1), compared(1, 0.2, ids=("c",), **{"dataset.target": "band_gap"})
    different, crystals = doubts([one, other])
    assert "different targets" in different and "other test crystals" in crystals


def test_a_network_on_a_grid_shares_no_neighbor_rule() -> None:
    grid = compared(1, model=MODELS["voxel CNN"].Config())
    assert "k nearest" not in shared_words([compared(), grid], ["model.name"])
    assert "k nearest" in shared_words([compared(), compared(1)], [])


def test_a_source_is_named_by_its_run(app: AppTest, store: RunStore) -> None:
    source = adopted(store)
    runs = [adopted(store, **{"transfer.source": source}), adopted(store, 0.3)]
    opened(app, "compare", runs=",".join(runs))
    assert list(tables(app)[0]["Start"]) == [f"run with 0.2 · {source}", "from scratch"] and not app.exception


def test_a_class_is_looked_back_at_by_its_probabilities(app: AppTest, store: RunStore) -> None:
    run_id = kept_run(store, target="metal")
    assert echarts_titles(look_back(app, epochs_of=run_id))[0] == "Probability of “metal”, after epoch 3"
    assert not app.exception
