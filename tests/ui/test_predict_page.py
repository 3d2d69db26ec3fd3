"""The Predict page, opened and used through Streamlit's own test runner."""

import io
import json
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymatgen.core import Lattice, Structure
from streamlit.testing.v1 import AppTest

from cgcnn.data import DatasetConfig, shelf
from cgcnn.data.samples import load_sample
from cgcnn.models import CGCNN, MODELS
from cgcnn.runs.store import RunStore
from cgcnn.training.experiment import Experiment, RunConfig
from cgcnn.training.predictor import Predictor
from cgcnn.training.train import TrainConfig
from cgcnn.ui import predict_known
from page_kit import ROOT, opened


@pytest.fixture(autouse=True)
def forget_surveys() -> Iterator[None]:
    predict_known._surveys().clear()
    yield
    predict_known._surveys().clear()


def predict(app: AppTest, **link: str) -> AppTest:
    app.query_params.update(link)
    return opened(app, "predict")


def tables(app: AppTest) -> list[Any]:
    return [frame.value for frame in app.dataframe]


def metric(app: AppTest, label: str) -> str:
    return next(m.value for m in app.metric if m.label.startswith(label))


def test_the_page_answers_at_once_with_unit_network_and_test_error(app: AppTest) -> None:
    predict(app)
    assert metric(app, "Formation energy of NaCl") == "−2.115 eV/atom"
    said = " ".join(m.value for m in app.markdown)
    assert "28,046" in said and "0.039 eV/atom" in said
    assert not app.exception and not app.error


def test_all_eight_networks_answer_for_the_crystal_in_view(app: AppTest) -> None:
    predict(app)
    eight = tables(app)[0]
    assert len(eight) == 8 and eight["Value"].notna().all()
    assert eight[eight[""] == "▶"]["Target"].tolist() == ["Formation energy"]


def test_the_tab_of_atoms_tells_the_gap_between_atoms_and_answer(app: AppTest) -> None:
    predict(app, crystal="SrTiO3")
    values = [float(metric(app, label).replace("−", "-")) for label in ("Mean over", "Answer for", "Gap")]
    assert values[1] - values[0] == pytest.approx(values[2], abs=2e-3) and abs(values[2]) > 0.01
    assert {"Sr", "Ti", "O"} == {group.split()[0] for group in tables(app)[1]["Group"]}


def test_a_crystal_without_a_graph_is_a_sentence_and_the_rest_of_the_page_works(app: AppTest, tmp_path: Path) -> None:
    lonely = Structure(Lattice.cubic(30), ["Ar"], [[0, 0, 0]])
    predict(app, crystal=shelf.put(lonely, "lonely", tmp_path / "crystals"))
    assert not app.exception and "No answer for lonely" in app.error[0].value
    app.query_params["predict_tab"] = "Lessons"
    opened(app, "predict")
    assert len([b for b in app.button if b.label.startswith("Ask about")]) == 3 and not app.exception


def test_an_element_that_was_never_seen_is_warned_of(app: AppTest, tmp_path: Path) -> None:
    polonium = Structure(Lattice.cubic(3.36), ["Po"], [[0, 0, 0]])
    predict(app, crystal=shelf.put(polonium, "polonium", tmp_path / "crystals"))
    assert any("holds Po" in w.value for w in app.warning) and not app.exception


def test_the_rule_of_the_sidebar_counts_only_when_asked_for(app: AppTest) -> None:
    published = metric(predict(app, crystal="SrTiO3", rule="whole shells"), "Formation")
    app.toggle(key="sidebar_rule").set_value(True).run()
    assert metric(app, "Formation") != published and not app.exception


def test_every_tab_opens_for_a_classifier(app: AppTest) -> None:
    for tab in ("Atoms", "Many crystals", "Lessons"):
        predict(app, network="metal or not", crystal="Cu", predict_tab=tab)
        assert not app.exception and not app.error
    assert float(metric(app, "Probability that Cu is a metal")) > 0.9


def test_a_lesson_opens_its_crystal_with_its_network(app: AppTest) -> None:
    predict(app, predict_tab="Lessons")
    next(b for b in app.button if b.label == "Ask about graphite").click().run()
    assert metric(app, "Band gap (non-metals) of graphite").endswith("eV") and not app.exception
    assert app.sidebar.selectbox(key="crystal_choice").value == "graphite"


def test_uploads_and_zips_are_answered_and_bad_files_are_named(app: AppTest) -> None:
    predict(app, predict_tab="Many crystals")
    good = (ROOT / "sample_cifs/MgO.cif").read_bytes()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("folder/LiF.cif", (ROOT / "sample_cifs/LiF.cif").read_bytes())
        archive.writestr("folder/worse.cif", "nothing")
    files = [("bad.cif", b"nonsense", ""), ("my.cif", good, ""), ("some.zip", packed.getvalue(), "")]
    app.file_uploader(key="predict_files_0").set_value(files).run()
    assert not app.exception and ["bad.cif" in e.value or "worse.cif" in e.value for e in app.error] == [True, True]
    assert list(tables(app)[-1]["Formula"]) == ["MgO", "LiF"]
    app.switch_page("pages/crystal.py").run()
    app.switch_page("pages/predict.py").run()
    assert list(tables(app)[-1]["Formula"]) == ["MgO", "LiF"], "an upload outlasts a change of page"


def bring(app: AppTest, *names: str, key: str = "predict_files_0") -> AppTest:
    """Choose sample files in the uploader, each under the name before the colon, if there is one."""
    files = [
        (
            name.split(":")[0],
            b"?" if name == "notes.txt" else (ROOT / f"sample_cifs/{name.split(':')[-1]}").read_bytes(),
        )
        for name in names
    ]
    app.file_uploader(key=key).set_value([(name, data, "") for name, data in files]).run()
    assert not app.exception
    return app


def test_the_first_upload_takes_the_place_of_the_samples(app: AppTest) -> None:
    bring(predict(app, predict_tab="Many crystals"), "MgB2.cif")
    assert list(tables(app)[-1]["Name"]) == ["MgB2.cif"]


def test_samples_that_a_link_asks_for_stay_beside_an_upload(app: AppTest) -> None:
    predict(app, predict_tab="Many crystals", predict_sets="samples")
    bring(app, "my.cif:MgB2.cif")
    assert len(tables(app)[-1]) == 37


def test_what_leaves_the_uploader_leaves_the_page(app: AppTest) -> None:
    bring(predict(app, predict_tab="Many crystals"), "MgB2.cif", "MgO.cif", "notes.txt")
    assert len(app.error) == 1 and len(tables(app)[-1]) == 2
    app.file_uploader(key="predict_files_0").set_value([]).run()
    assert not app.error and len(tables(app)[-1]) > 30


def test_clearing_the_uploads_empties_the_uploader_too(app: AppTest) -> None:
    bring(predict(app, predict_tab="Many crystals"), "MgB2.cif", "notes.txt")
    next(b for b in app.button if b.label == "Clear the uploads").click().run()
    assert not app.error and not app.file_uploader(key="predict_files_1").value
    assert len(tables(app)[-1]) > 30, "the samples again"


def test_a_refresh_finds_the_uploads_by_the_url(app: AppTest) -> None:
    bring(predict(app, predict_tab="Many crystals"), "MgB2.cif")
    brought = app.query_params["brought"]
    link = {"brought": brought if isinstance(brought, str) else brought[0]}
    fresh = predict(AppTest.from_file(str(ROOT / "app.py"), default_timeout=60), predict_tab="Many crystals", **link)
    assert list(tables(fresh)[-1]["Name"]) == ["MgB2.cif"]


def test_a_file_that_comes_twice_is_told(app: AppTest) -> None:
    bring(predict(app, predict_tab="Many crystals"), "MgB2.cif", "MgB2.cif")
    assert len(tables(app)[-1]) == 1 and any("already in the table" in info.value for info in app.info)


@pytest.mark.parametrize("crystal", ["Fe", "graphite"])
def test_rounding_is_not_shown_as_a_gap(app: AppTest, crystal: str) -> None:
    predict(app, crystal=crystal)
    assert metric(app, "Gap") in ("0.000", "−0.001", "0.001") and "e" not in metric(app, "Answer for")


def test_the_card_of_atoms_and_the_headline_agree_on_the_answer(app: AppTest) -> None:
    predict(app, crystal="NaCl", network="metal or not")
    assert metric(app, "Probability that NaCl is a metal") == metric(app, "Answer for") == "0.000"
    assert any("NaCl is probably not a metal" in m.value for m in app.markdown)


def test_the_samples_are_answered_without_any_upload(app: AppTest) -> None:
    predict(app, predict_tab="Many crystals")
    rows = tables(app)[-1]
    assert len(rows) > 30 and rows["Formation energy (eV/atom)"].notna().all()


def trained(folder: Path, **settings: Any) -> str:
    """A run of one epoch on 60 crystals, as a worker would have left it."""
    small = CGCNN.Config(n_convs=1, atom_dim=8, hidden_dim=8, pooling=settings.pop("pooling", "mean"))
    model = settings.pop("model", small)
    dataset = DatasetConfig(max_crystals=60, **settings)
    config = RunConfig(dataset=dataset, model=model, train=TrainConfig(epochs=1))
    store, experiment = RunStore(folder), Experiment(config)
    run_id = store.submit(config, name="small")
    lease = store.take("here")
    assert lease is not None
    list(experiment.events())
    store.save_checkpoint(lease, *experiment.checkpoint())
    store.finish(lease, "finished")
    return run_id


@pytest.mark.parametrize("pooling", ["mean", "sum", "max"])
def test_a_run_answers_with_its_own_training_crystals_beside_it(app: AppTest, tmp_path: Path, pooling: str) -> None:
    run_id = trained(tmp_path, pooling=pooling, target="formation_energy_per_cell")
    predict(app, network=run_id, predict_tab="Nearest crystals")
    for _ in range(100):
        if tables(app)[1:]:
            break
        time.sleep(0.1)
        app.run()
    nearest = tables(app)[1]
    assert len(nearest) == 4 and nearest["Distance"].is_monotonic_increasing
    assert nearest["True formation energy of the cell (eV)"].notna().sum() == 3 and not app.exception
    app.query_params["predict_tab"] = "Atoms"
    assert not opened(app, "predict").exception


def test_a_comparison_can_be_stopped_and_begun_anew(app: AppTest, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(predict_known.Survey, "work", lambda self, predictor, load: None)
    predict(app, network=trained(tmp_path), predict_tab="Nearest crystals")
    app.button(key="survey_stop").click().run()
    assert any("Stopped" in m.value for m in app.markdown) and not app.exception
    next(b for b in app.button if b.label == "Compare after all").click().run()
    assert app.button(key="survey_stop") and not app.exception


def test_a_stopped_comparison_ends_after_the_crystals_in_hand() -> None:
    begun = predict_known.Survey(stopped=True)
    begun.work(Predictor.published("formation energy"), lambda: [load_sample("NaCl"), load_sample("Cu")])
    assert begun.is_over and begun.result is None and begun.done == 0


def test_a_broken_network_leaves_the_rest_of_the_page(app: AppTest, tmp_path: Path) -> None:
    run_id = trained(tmp_path)
    RunStore(tmp_path).checkpoint_file(run_id).write_bytes(b"nothing")
    predict(app, network=run_id, predict_tab="Lessons")
    assert "cannot be read" in app.error[0].value and not app.exception
    assert len(tables(app)[0]) == 8


def test_published_rows_hold_what_the_predictors_say(rock_salt: Structure) -> None:
    from cgcnn.graph import build_graph
    from cgcnn.ui.predict_answer import published_rows

    rows = published_rows(build_graph(rock_salt))
    assert json.dumps(rows) and rows[2]["Value"] == pytest.approx(
        Predictor.published("band gap").predict([rock_salt])[0]
    )


def test_a_logarithm_beyond_all_numbers_is_shown_without_its_power(app: AppTest) -> None:
    predict(app, crystal="diamond", network="bulk modulus", sidebar_rule="true", rule="radius")
    assert not app.exception and any("asked with radius" in w.value for w in app.warning)


def test_under_another_rule_the_known_crystals_are_not_compared(app: AppTest) -> None:
    predict(app, sidebar_rule="true", rule="whole shells", predict_tab="Nearest crystals")
    assert not app.exception and any("compared under the rule" in i.value for i in app.info)


def test_a_network_with_several_targets_answers_for_the_chosen_one_and_tells_the_others(
    app: AppTest, tmp_path: Path
) -> None:
    run_id = trained(tmp_path, target="band_gap", also=("metal",))
    predict(app, network=run_id)
    assert metric(app, "Band gap (non-metals) of NaCl").endswith("eV") and not app.exception
    assert any("The same network says: Metal or not **" in m.value for m in app.markdown)
    app.segmented_control(key="answer_of").set_value("Metal or not").run()
    assert 0 <= float(metric(app, "Probability that NaCl is “metal”")) <= 1 and not app.exception
    assert any("The likelier class" in m.value for m in app.markdown)


@pytest.mark.parametrize("tab", ["Atoms", "Nearest crystals", "Many crystals", "Lessons"])
def test_every_tab_opens_for_a_class_of_several_targets(app: AppTest, tmp_path: Path, tab: str) -> None:
    run_id = trained(tmp_path, target="band_gap", also=("metal",))
    predict(app, network=run_id, answer_of="Metal or not", predict_tab=tab)
    assert not app.exception and not app.error


def test_a_network_on_a_grid_has_no_neighbor_rule_to_change(app: AppTest, tmp_path: Path) -> None:
    predict(app, network=trained(tmp_path, model=MODELS["voxel CNN"].Config(pitch=1.0, n_convs=1, filters=4)))
    assert not app.exception and any("as densities on a grid" in m.value for m in app.markdown)
    assert "sidebar_rule" not in [toggle.key for toggle in app.toggle]
