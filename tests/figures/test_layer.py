"""The pictures of a convolution show the numbers that they are given."""

import json

import numpy as np

from cgcnn.figures.layer import (
    CHOSEN_COLOR,
    OTHER_COLOR,
    Bars,
    feature_map,
    joined_bars,
    map_height,
    picked_cell,
    step_bars,
    steps_height,
)

VALUES = np.array([[0.1, 0.2, 0.3], [0.4, -0.5, 0.6]])


def test_a_map_holds_every_value_in_its_cell_and_is_plain() -> None:
    option = feature_map(VALUES, ["Cl 5", "Cl 6"], row=1, feature=2, title="Messages")
    json.dumps(option, allow_nan=False)
    assert [cell["value"] for cell in option["series"][0]["data"]][3:5] == [[0, 1, 0.4], [1, 1, -0.5]]
    assert (option["visualMap"]["min"], option["visualMap"]["max"]) == (-0.6, 0.6)


def test_a_map_of_positive_values_begins_at_zero() -> None:
    assert feature_map(abs(VALUES), ["a", "b"], 0, 0, "Messages")["visualMap"]["min"] == 0.0


def test_the_chosen_row_and_feature_are_framed_and_named() -> None:
    option = feature_map(VALUES, ["Cl 5", "Cl 6"], row=1, feature=2, title="Messages")
    framed = {(f, row) for f, row, _ in option["series"][1]["data"]}
    assert framed == {(0, 1), (1, 1), (2, 1), (2, 0)}
    assert option["yAxis"]["data"][1]["textStyle"]["color"] == CHOSEN_COLOR


def test_cells_have_names_of_their_own_since_a_click_selects_by_name() -> None:
    names = [cell["name"] for cell in feature_map(VALUES, ["Cl 5", "Cl 6"], 0, 0, "")["series"][0]["data"]]
    assert len(set(names)) == len(names)


def test_a_click_is_read_as_row_and_feature() -> None:
    assert picked_cell(3, [{"series_index": 0, "data_indices": [4]}]) == (1, 1)
    assert picked_cell(3, []) is None and picked_cell(3, [{"series_index": 0, "data_indices": []}]) is None


def test_a_map_of_many_rows_stays_within_a_screen() -> None:
    assert map_height(12) == 130 + 22 * 12
    assert map_height(200) < 1400


def test_bars_mark_the_feature_and_put_the_other_beside_it() -> None:
    rows = [Bars("z_f", [1.0, 2.0]), Bars("v_i′", [3.0, 4.0], [5.0, 6.0])]
    option = step_bars(rows, 1, "Steps", "tanh")
    json.dumps(option, allow_nan=False)
    first, second, other = option["series"]
    assert first["data"] == [1.0, {"value": 2.0, "itemStyle": {"color": CHOSEN_COLOR}}]
    assert (second["xAxisIndex"], other["xAxisIndex"]) == (1, 1)
    assert other["data"] == [5.0, 6.0] and other["itemStyle"]["color"] == OTHER_COLOR
    assert [title["text"] for title in option["title"]] == ["Steps", "z{low|f}", "v{low|i}′"]
    assert len(option["grid"]) == 2 and steps_height(2) > option["grid"][1]["top"] + option["grid"][1]["height"]


def test_joined_vectors_lie_end_to_end() -> None:
    option = joined_bars({"v": [1.0, 2.0], "u": [3.0]}, "z")
    assert [series["data"] for series in option["series"]] == [[[0, 1.0], [1, 2.0]], [[2, 3.0]]]
    assert option["xAxis"]["data"] == ["1", "2", "3"]
