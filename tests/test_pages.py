"""Every page, opened and used through Streamlit's own test runner."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cgcnn.runs.store import RunStore
from malformed import MALFORMED
from page_kit import PAGES, ROOT, opened


@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_with_something_true_and_no_mistake(app: AppTest, page: str) -> None:
    opened(app, page)
    assert not app.exception and not app.error
    assert app.title[0].value and app.markdown


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_upload_gives_one_sentence_and_no_traceback(app: AppTest, name: str) -> None:
    filename, data = MALFORMED[name]
    app.run()
    app.file_uploader[0].upload(filename or "pasted.txt", data).run()
    assert not app.exception
    assert len(app.error) == 1 and app.error[0].value.endswith(".") and "Traceback" not in app.error[0].value
    assert app.title[0].value == "NaCl", "the crystal in view stays"


def test_good_files_load_beside_bad_ones(app: AppTest) -> None:
    app.run()
    good = (ROOT / "sample_cifs/MgO.cif").read_bytes()
    app.file_uploader[0].set_value([("bad.cif", b"nonsense", "text/plain"), ("mine.cif", good, "text/plain")]).run()
    assert len(app.error) == 1 and "bad.cif" in app.error[0].value
    assert app.title[0].value == "mine.cif"


def test_pasted_text_is_read(app: AppTest) -> None:
    app.run()
    app.text_area(key="pasted").set_value((ROOT / "sample_cifs/MgO.cif").read_text())
    next(b for b in app.button if b.label == "Read the text").click().run()
    assert not app.error and app.title[0].value == "MgO"


def test_a_link_opens_its_crystal_rule_and_atom(app: AppTest) -> None:
    app.query_params.update({"crystal": "SrTiO3", "neighbors": "9", "atom": "3", "rule": "whole shells"})
    opened(app, "graph")
    assert app.sidebar.selectbox(key="crystal_choice").value == "SrTiO3"
    assert app.sidebar.slider(key="neighbors").value == 9
    assert app.sidebar.selectbox(key="atom_choice").value == 2


@pytest.mark.parametrize(
    "link", [{"crystal": "Unobtainium"}, {"atom": "99"}, {"atom": "x"}, {"cell": "x"}, {"strain": "x"}]
)
def test_a_wrong_link_still_opens_a_page(app: AppTest, link: dict[str, str]) -> None:
    app.query_params.update(link)
    app.run()
    assert not app.exception and app.title[0].value == "NaCl"
    assert len(app.error) == ("crystal" in link)


def test_the_selected_atom_is_selected_on_every_page(app: AppTest) -> None:
    app.run()
    app.sidebar.selectbox(key="atom_choice").set_value(4).run()
    opened_graph = app.switch_page("pages/graph.py").run()
    assert any("Neighbors of Cl 5" in metric.label for metric in opened_graph.metric)


def test_the_graph_page_names_the_cut_shell_and_whole_shells_mend_it(app: AppTest) -> None:
    opened(app, "graph")
    assert "k = 12 cuts a shell in two" in app.warning[0].value and "keeps 6" in app.warning[0].value
    app.sidebar.selectbox(key="rule").set_value("whole shells").run()
    assert not app.warning and app.success


def test_a_cutoff_too_small_is_a_sentence_on_the_graph_page(app: AppTest) -> None:
    opened(app, "graph")
    app.sidebar.slider(key="cutoff").set_value(2.0).run()
    assert not app.exception and "no neighbor within 2 Å" in app.error[0].value


def test_train_submits_what_the_form_says_and_finds_the_run_again(app: AppTest, tmp_path: Path) -> None:
    opened(app, "train")
    app.number_input(key="train_epochs").set_value(7).run()
    next(b for b in app.button if b.label == "Train").click().run()
    (run,) = RunStore(tmp_path).runs()
    assert run.config.train.epochs == 7 and run.id in app.query_params["run"]
    app.switch_page("pages/crystal.py").run()
    app.switch_page("pages/train.py").run()
    assert app.selectbox(key=f"run_choice_{run.id}").value == run.id


@pytest.mark.parametrize(("page", "link"), [("train", "data_set"), ("data", "set")])
def test_a_link_to_a_set_that_is_not_here_is_told_so(app: AppTest, page: str, link: str) -> None:
    app.query_params[link] = "nowhere"
    opened(app, page)
    assert not app.exception and "no set 'nowhere'" in app.error[0].value
    assert len(app.error) == 1
