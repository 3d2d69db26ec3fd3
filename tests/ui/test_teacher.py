"""Links that open a lesson: what they lock, leave out, get wrong, and carry."""

import re
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from cgcnn.config import default_of, option
from cgcnn.data.targets import TARGETS
from cgcnn.errors import ConfigError
from cgcnn.runs.limits import Limits
from cgcnn.runs.records import Run
from cgcnn.runs.store import RunStore
from cgcnn.ui.form import read_value
from cgcnn.ui.prose import plain
from cgcnn.ui.teacher import (
    LOCKED,
    LONGEST_TITLE,
    Lesson,
    clean_title,
    fixed_names,
    known_names,
    link_text,
    link_to,
    names_of,
    unknown_sentences,
)
from page_kit import ROOT, opened

GAP = TARGETS["band_gap"].axis
RATE = option(0.5, "Rate", "", unit="Å", minimum=0.1, maximum=2.0).metadata["option"]
COUNT = option(3, "Count", "", minimum=1).metadata["option"]
KIND = option("mean", "Kind", "", choices=["mean", "sum"]).metadata["option"]


def dialog(app: AppTest) -> AppTest:
    """The page with the dialog of the link open."""
    return next(b for b in app.button if b.label == "A link to this view").click().run()


def made_link(app: AppTest) -> dict[str, str]:
    """The parameters of the link in the dialog."""
    return dict(parse_qsl(urlsplit(next(code.value for code in app.code if "?" in code.value)).query))


def values_of(app: AppTest) -> dict[str, object]:
    """What stands in the controls of the page."""
    widgets = [*app.number_input, *app.selectbox, *app.slider, *app.toggle]
    return {w.key: w.value for w in widgets if w.key}


def only_run(app: AppTest, home: Path) -> Run:
    next(b for b in app.button if b.label == "Train").click().run()
    (run,) = RunStore(home).runs()
    return run


def test_names_stand_once_and_without_spaces() -> None:
    assert names_of(" a, b*,a,, ") == ("a", "b*")


def test_a_star_at_the_end_means_all_that_begin_so() -> None:
    lesson = Lesson(lock=("train_*",), hide=("rule",))
    assert fixed_names(lesson, ["train_seed", "rule", "strain_x"]) == ["train_seed", "rule"]


def test_an_unknown_name_is_one_sentence_with_the_nearest_name() -> None:
    (sentence,) = unknown_sentences(Lesson(lock=("net_poling",), hide=("net_*",)), ["net_pooling"])
    assert "'net_poling'" in sentence and "perhaps net_pooling" in sentence and sentence.endswith(".")


def test_a_title_is_one_short_line() -> None:
    assert clean_title("a\n b\u200b\x00") == "a b" and len(clean_title("x" * 999)) == LONGEST_TITLE


def test_a_link_carries_the_lesson_and_nobody_s_name() -> None:
    link = link_to("http://x/train", {"who": "Ann", "k": "a b", "none": "", "lock": "old"}, Lesson("T", ("a", "b*")))
    assert link == "http://x/train?k=a%20b&lock=a,b*&lesson=T"


@pytest.mark.parametrize(("value", "text"), [(True, "true"), (3.0, "3"), (0.25, "0.25"), (1e-5, "1e-05"), ("a", "a")])
def test_a_value_in_a_link_reads_as_streamlit_writes_it(value: object, text: str) -> None:
    assert link_text(value) == text


@pytest.mark.parametrize("text", ["nan", "inf", "x", "0.05", "2.1"])
def test_a_number_that_the_form_refuses_is_one_sentence(text: str) -> None:
    with pytest.raises(ConfigError, match=r"must lie between 0\.1 and 2 Å, so 0\.5 Å is used\.$"):
        read_value(text, RATE, 0.5)


def test_values_in_a_link_become_values_of_the_form() -> None:
    assert read_value("7", COUNT, 3) == 7 and read_value("sum", KIND, "mean") == "sum"
    assert read_value("True", KIND, False) is True
    with pytest.raises(ConfigError, match="at least 1, so 3"):
        read_value("0", COUNT, 3)
    with pytest.raises(ConfigError, match="one of mean, sum, so mean"):
        read_value("max", KIND, "mean")


def test_a_locked_control_shows_the_link_s_value_and_says_why_it_is_gray(app: AppTest) -> None:
    opened(app, "train", lock="net_pooling,neighbors", net_pooling="sum", neighbors="9")
    pooling, neighbors = app.selectbox(key="net_pooling"), app.slider(key="neighbors")
    assert pooling.disabled and pooling.value == "sum" and LOCKED in pooling.help
    assert neighbors.disabled and neighbors.value == 9
    assert any("fixes 2 controls" in m.value for m in app.sidebar.markdown)


def test_the_set_and_the_target_can_be_fixed_too(app: AppTest, tmp_path: Path) -> None:
    opened(app, "train", lock="data_target", hide="data_set", data_target=GAP, data_set="built-in")
    assert app.selectbox(key="data_target").disabled and len(app.error) == 0
    assert only_run(app, tmp_path).config.dataset.target == "band_gap"


def test_what_a_lesson_leaves_out_still_counts(app: AppTest, tmp_path: Path) -> None:
    opened(app, "train", hide="train_*,rule,net_pooling", train_epochs="7", rule="whole shells", net_pooling="sum")
    keys = {w.key for w in [*app.number_input, *app.selectbox, *app.slider, *app.toggle]}
    assert "rule" not in keys and "net_pooling" not in keys and not any(k.startswith("train_") for k in keys if k)
    config = only_run(app, tmp_path).config
    assert (config.train.epochs, config.graph.rule, config.model.pooling) == (7, "whole shells", "sum")


def test_a_lesson_follows_the_reader_through_the_pages(app: AppTest) -> None:
    opened(app, "train", hide="train_epochs", lock="net_pooling", train_epochs="7", net_pooling="sum", lesson="One")
    app.query_params.clear()  # as the links in the menu do
    app.switch_page("pages/crystal.py").run()
    assert app.query_params["train_epochs"] == "7" and app.query_params["lesson"] == "One"
    app.query_params.clear()
    app.switch_page("pages/train.py").run()
    assert app.selectbox(key="net_pooling").disabled and app.selectbox(key="net_pooling").value == "sum"


def test_a_link_that_opens_another_page_brings_its_settings_to_train(app: AppTest) -> None:
    target = {"data_target": GAP}
    app.query_params.update({"train_epochs": "7", "net_pooling": "sum", "train_batch_size": "-1"} | target)
    app.run()
    app.query_params.clear()
    app.switch_page("pages/train.py").run()
    assert app.number_input(key="train_epochs").value == 7 and app.selectbox(key="net_pooling").value == "sum"
    assert app.selectbox(key="data_target").value == GAP
    assert len(app.error) == 1 and "Batch size" in app.error[0].value


def test_a_value_that_the_form_would_refuse_is_one_sentence_and_the_default(app: AppTest) -> None:
    opened(app, "train", net_pooling="nonsense", train_learning_rate="nan")
    assert not app.exception and len(app.error) == 2 and "'nonsense'" in app.error[0].value
    assert app.selectbox(key="net_pooling").value == "mean" and "net_pooling" not in app.query_params


def test_a_hidden_value_that_the_form_would_refuse_is_the_default_too(app: AppTest, tmp_path: Path) -> None:
    opened(app, "train", net_pooling="nonsense", hide="net_pooling")
    assert not app.exception and len(app.error) == 1
    assert only_run(app, tmp_path).config.model.pooling == "mean"


def test_a_wrong_number_for_the_sidebar_is_told_on_every_page(app: AppTest) -> None:
    app.query_params["neighbors"] = "999"
    app.run()
    sentence = "The link sets Neighbors k to '999'; it must lie between 1 and 48, so 12 is used."
    assert [plain(sentence)] == [error.value for error in app.error]


def test_an_unknown_name_is_told_and_the_page_opens(app: AppTest) -> None:
    app.query_params["lock"] = "nonsense"
    app.run()
    assert not app.exception and len(app.error) == 1 and "'nonsense'" in app.error[0].value


def test_a_locked_crystal_stays_whatever_else_is_pressed(app: AppTest) -> None:
    opened(app, "predict", lock="crystal,atom", crystal="MgO", atom="3", predict_tab="Lessons")
    next(b for b in app.button if b.label.startswith("Ask about")).click().run()
    assert app.sidebar.selectbox(key="crystal_choice").value == "MgO"
    assert app.sidebar.selectbox(key="atom_choice").value == 2
    assert not app.file_uploader, "a new crystal would be looked at"


def test_hidden_choices_of_the_sidebar_keep_their_values(app: AppTest) -> None:
    opened(app, "crystal", hide="crystal,cell,atom,upload", crystal="Si", cell="primitive")
    assert app.title[0].value == "Si" and any("primitive cell" in m.value for m in app.markdown)
    assert not [s for s in app.sidebar.selectbox if s.key in ("crystal_choice", "cell_choice", "atom_choice")]


def test_a_lesson_s_title_is_shown_letter_by_letter(app: AppTest) -> None:
    opened(app, "crystal", lesson="**a** [b](http://c)")
    assert app.markdown[0].value.endswith(plain("**a** [b](http://c)"))


def test_the_link_to_a_view_opens_the_same_form(app: AppTest) -> None:
    opened(app, "train", crystal="MgO", who="Ann")
    app.number_input(key="train_epochs").set_value(7)
    app.number_input(key="train_learning_rate").set_value(0.02)
    app.toggle(key="train_per_atom").set_value(True)
    app.sidebar.selectbox(key="rule").set_value("whole shells")
    link = made_link(dialog(app.selectbox(key="net_pooling").set_value("sum").run()))
    assert link["crystal"] == "MgO" and "who" not in link and "train_seed" not in link
    other = opened(AppTest.from_file(str(ROOT / "app.py"), default_timeout=60), "train", **link)
    assert values_of(other) == values_of(app) and values_of(other)["train_epochs"] == 7


def test_the_dialog_offers_the_controls_of_the_page_by_their_labels(app: AppTest) -> None:
    dialog(opened(app, "train").run())
    assert {"Pooling", "Neighbor rule", "Crystal"} <= set(app.multiselect(key="lesson_lock").options)


def test_what_is_chosen_in_the_dialog_stands_in_the_link(app: AppTest) -> None:
    opened(app, "train").run()
    app.session_state["lesson_lock"], app.session_state["lesson_hide"] = ["net_pooling"], ["rule"]
    assert made_link(dialog(app)) == {"lock": "net_pooling", "hide": "rule"}


def test_the_dialog_begins_with_the_lesson_that_is_open(app: AppTest) -> None:
    dialog(opened(app, "train", lock="net_pooling", hide="train_*", lesson="One", train_epochs="7"))
    link = {"lock": "net_pooling", "hide": "train_*", "lesson": "One", "train_epochs": "7"}
    assert made_link(app) == link


VIEWS = [
    ("train", {}),
    ("convolution", {"network": "untrained"}),
    ("encoding", {"encoding": "Bonds"}),
    ("transfer", {}),
]


@pytest.mark.parametrize(("page", "link"), VIEWS)
def test_every_control_that_a_page_draws_has_a_known_name(app: AppTest, page: str, link: dict[str, str]) -> None:
    opened(app, page, **link)
    drawn = set(app.session_state["controls_drawn"])
    assert len(drawn) > 8 and not drawn - known_names()


GUIDE = (ROOT / "docs/classroom.md").read_text()
LINKS = re.findall(r"`/(\w+)\?(\S+)`", GUIDE)


@pytest.mark.parametrize(("page", "query"), LINKS, ids=[page for page, _ in LINKS])
def test_a_link_of_the_guide_opens_its_lesson(app: AppTest, page: str, query: str) -> None:
    opened(app, page, **dict(parse_qsl(query, strict_parsing=True)))
    assert not app.exception and not app.error and "Lesson:" in app.markdown[0].value
    assert any("link fixes" in m.value for m in app.sidebar.markdown)


def test_the_guide_names_the_limits_as_they_are() -> None:
    told = dict(re.findall(r"\| `CRYSTAL_GRAPH_LAB_(\w+)` \| (\d+) \|", GUIDE))
    assert len(told) > 6 and told == {name: str(default_of(Limits, name.lower())) for name in told}
