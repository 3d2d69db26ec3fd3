import json
from dataclasses import dataclass
from math import nan

import pytest

from cgcnn.figures.sweep import sweep_alt, sweep_chart, sweep_rows


@dataclass(frozen=True)
class Arm:
    words: str
    maes: tuple[float, ...] = (0.1, 0.2, 0.3)
    n_live: int = 0
    n_lost: int = 0

    @property
    def mean(self) -> float:
        return sum(self.maes) / len(self.maes) if self.maes else nan

    @property
    def std(self) -> float:
        return 0.1 if len(self.maes) > 1 else nan


@dataclass(frozen=True)
class Axis:
    label: str
    values: tuple
    words: tuple[str, ...]


K = Axis("Neighbors k", (6, 12, 18), ("k = 6", "k = 12", "k = 18"))
RULE = Axis("Neighbor rule", ("k nearest", "whole shells"), ("k nearest", "whole shells"))
AMOUNT = Axis("Crystals used", (100, 400, 1500), ("100 crystals", "400 crystals", "1,500 crystals"))
THREE = [Arm(words) for words in K.words]
SIX = [Arm(f"{k}, {rule}") for k in K.words for rule in RULE.words]


def chart(arms: list[Arm], *axes: Axis, **more) -> dict:
    return sweep_chart(arms, axes, title="Test error by neighbors", unit="eV/atom", **more)


def means(option: dict) -> list[dict]:
    return [s for s in option["series"] if s["type"] == "line" and s.get("symbolSize") == 13]


def test_numbers_stand_at_their_place_and_are_joined() -> None:
    option = chart(THREE, K)
    (mean,) = means(option)
    assert [point["value"] for point in mean["data"]] == [[k, pytest.approx(0.2)] for k in (6, 12, 18)]
    assert mean["lineStyle"]["width"] > 0
    (axis,) = option["xAxis"]
    assert (axis["name"], axis["axisLabel"]["customValues"]) == ("Neighbors k", [6, 12, 18])
    assert axis["min"] < 6 and axis["max"] > 18


def test_numbers_over_more_than_a_decade_stand_on_a_logarithmic_axis() -> None:
    assert chart(THREE, AMOUNT)["xAxis"][0]["type"] == "log"
    assert chart(THREE, K)["xAxis"][0]["type"] == "value"


def test_words_stand_in_bands_and_are_not_joined() -> None:
    option = chart([Arm("k nearest"), Arm("whole shells")], RULE)
    (mean,), (hidden, bands) = means(option), option["xAxis"]
    assert [point["value"][0] for point in mean["data"]] == [0.5, 1.5]
    assert mean["lineStyle"]["width"] == 0
    assert bands["data"] == ["k nearest", "whole shells"] and (hidden["min"], hidden["max"]) == (0, 2)


def test_the_second_axis_gives_the_series_which_differ_by_more_than_color() -> None:
    option = chart(SIX, K, RULE)
    first, second = means(option)
    assert option["legend"]["data"] == ["k nearest", "whole shells"] and option["legend"]["show"]
    assert first["color"] != second["color"] and first["symbol"] != second["symbol"]
    assert second["data"][0]["tooltip"]["formatter"].startswith("<b>k = 6, whole shells</b>")
    assert first["data"][0]["value"][0] < 6 < second["data"][0]["value"][0]  # a little apart


def test_every_seed_is_a_point_and_the_bar_is_one_standard_deviation() -> None:
    _, seeds, _, bars = chart([Arm("k = 6"), Arm("k = 12", (0.5,)), Arm("k = 18", ())], K)["series"]
    assert [point["value"][1] for point in seeds["data"]] == [0.1, 0.2, 0.3, 0.5]
    assert bars["data"] == [[6, pytest.approx(0.1)], [6, pytest.approx(0.3)], [None, None]]
    assert bars["connectNulls"] is False


def test_an_arm_with_runs_to_come_is_hollow_and_counted() -> None:
    done, live, waiting = [Arm("k = 6"), Arm("k = 12", (0.2, 0.2), n_live=1), Arm("k = 18", (), n_live=3)]
    option = chart([done, live, waiting], K)
    (mean,) = means(option)
    assert [point["itemStyle"]["color"] == "transparent" for point in mean["data"]] == [False, True]
    assert [point["label"].get("formatter") for point in mean["data"]] == [None, "2 of 3"]
    (empty,) = option["series"][2]["data"]
    assert empty["label"]["formatter"] == "0 of 3" and empty["value"] == [18, 0.1]
    assert option["title"]["subtext"] == "5 of 9 runs finished"


def test_an_arm_that_failed_is_said_to_have_no_result() -> None:
    option = chart([Arm("k = 6"), Arm("k = 12"), Arm("k = 18", (), n_lost=3)], K)
    assert option["series"][2]["data"][0]["label"]["formatter"] == "no result"
    assert option["title"]["subtext"] == "6 of 9 runs finished, 3 without a result"


def test_the_mean_guess_is_a_dashed_line_that_the_axis_reaches() -> None:
    line = chart(THREE, K, baseline=0.7)["series"][-1]
    assert line["data"][0][1] == 0.7
    assert line["markLine"]["label"]["formatter"] == "predict the mean: 0.7 eV/atom"
    assert "Predict the mean" not in [s["name"] for s in chart(THREE, K)["series"]]


def test_the_chart_has_a_title_and_its_unit() -> None:
    option = chart(THREE, K)
    assert option["title"]["text"] == "Test error by neighbors"
    assert option["yAxis"]["name"] == "Test MAE (eV/atom)"
    assert option["animation"] is False


def test_a_logarithmic_error_axis_has_no_bar_below_zero() -> None:
    wide = [Arm("k = 6", (0.01, 0.05)), *THREE[1:]]
    option = chart(wide, K, log=True)
    assert option["yAxis"]["type"] == "log"
    assert all(point[1] is None or point[1] > 0 for point in option["series"][3]["data"])


@pytest.mark.parametrize(
    "arms", [THREE, [Arm(words, ()) for words in K.words], [Arm(w, (), n_live=2) for w in K.words]]
)
def test_the_option_is_strict_json(arms: list[Arm]) -> None:
    option = chart(arms, K, baseline=0.7)
    assert json.loads(json.dumps(option, allow_nan=False)) == option


def test_the_picture_in_words_names_the_best_and_the_worst() -> None:
    arms = [Arm("k = 6", (0.4, 0.4)), Arm("k = 12"), Arm("k = 18", (), n_live=1)]
    assert sweep_alt(arms, unit="eV") == (
        "Mean test error of 2 of 3 settings: lowest 0.2 ± 0.1 eV with k = 12, highest 0.4 ± 0.1 eV with k = 6. "
        "5 of 6 runs finished."
    )
    assert sweep_alt([Arm("k = 6", ())]) == "Test error of 1 setting; no run has finished yet."


def test_the_table_holds_every_run() -> None:
    first, second = sweep_rows([Arm("k = 6"), Arm("k = 12", (), n_lost=2)], unit="eV")
    assert first["setting"] == "k = 6" and first["each run"] == "0.1 0.2 0.3"
    assert first["mean test MAE (eV)"] == pytest.approx(0.2) and first["standard deviation (eV)"] == 0.1
    assert second["mean test MAE (eV)"] is None and second["runs without a result"] == 2
