import pytest
from streamlit.testing.v1 import AppTest

from cgcnn.data.targets import TARGETS
from page_kit import opened


def shown(app: AppTest, target: str) -> AppTest:
    opened(app, "data")
    return app.selectbox(key="shown_target").set_value(target).run()


def test_a_class_says_who_labeled_it_how_and_where_it_errs(app: AppTest) -> None:
    shown(app, "metal")
    words = " ".join(m.value for m in app.markdown)
    assert "**How it is labeled.** “Has a band gap” where a gap of the formula was measured" in words
    assert "ReO3, which conducts like copper" in words
    assert "Zhuo" in app.caption[0].value and not app.exception


@pytest.mark.parametrize("target", ["metal", "on_hull"])
def test_the_table_names_the_class_of_each_crystal(app: AppTest, target: str) -> None:
    values = next(d.value for d in shown(app, target).dataframe if "formula" in d.value)["value"]
    assert set(values) == set(TARGETS[target].classes)


def test_a_number_stays_a_number(app: AppTest) -> None:
    values = next(d.value for d in shown(app, "density").dataframe if "formula" in d.value)["value"]
    assert values.min() > 0
    assert not any("How it is labeled" in m.value for m in app.markdown)
