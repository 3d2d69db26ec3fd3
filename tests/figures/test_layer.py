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
    cells = option["series"][0]["data"][3:5]
    assert [cell["value"] for cell in cells] == [[0, 1, 0.6667], [1, 1, -0.8333]], "as parts of the largest, 0.6"
    assert cells[1]["name"] == "Cl 6, feature 2: -0.5"
    assert option["visualMap"]["min"] == -1.0 and option["visualMap"]["text"] == ["0.6", "−0.6"]


def test_a_map_of_positive_values_begins_at_zero() -> None:
    assert feature_map(abs(VALUES), ["a", "b"], 0, 0, "Messages")["visualMap"]["min"] == 0.0


def test_with_a_scale_for_each_row_small_rows_are_seen_beside_large_ones() -> None:
    rows = np.array([[0.001, 0.002], [10.0, 5.0]])
    cells = feature_map(rows, ["a", "b"], 0, 0, "Layers", each_row=True)["series"][0]["data"]
    assert [cell["value"][2] for cell in cells] == [0.5, 1.0, 1.0, 0.5]


def test_one_rectangle_frames_the_row_and_one_the_feature() -> None:
    option = feature_map(VALUES, ["Cl 5", "Cl 6"], row=1, feature=2, title="Messages")
    row, column = (series["data"] for series in option["series"][1:])
    assert row == [[0, 1], [3, 1], [3, 2], [0, 2], [0, 1]] and column == [[2, 0], [3, 0], [3, 2], [2, 2], [2, 0]]
    assert option["series"][0]["progressive"] == 0, "or the rows of a large map would cover the frame"
    assert option["yAxis"][0]["data"][1]["textStyle"]["color"] == CHOSEN_COLOR


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
