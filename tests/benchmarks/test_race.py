"""The race itself: turns, ratios, tables and files. No test looks at a time that was measured."""

import json
from pathlib import Path

import pytest

from benchmarks import peers
from benchmarks.race import CPU, Device, Entry, Row, as_json, closed, named, opened, options, race, ratio, table

FAST = Row("fast", processor=[1e-3, 2e-3, 4e-3], wall=[1e-3, 2e-3, 4e-3])
SLOW = Row("slow", processor=[4e-3, 4e-3, 4e-3], wall=[9e-3, 9e-3, 9e-3])
ABSENT = Row("absent", why="not installed")


def test_everyone_warms_up_once_and_then_they_take_turns() -> None:
    seen: list[str] = []
    race([Entry("a", lambda: seen.append("a")), Entry("b", lambda: seen.append("b"))], rounds=3)
    assert "".join(seen) == "ab" + "ab" + "ba" + "ab"


def test_every_round_is_kept_by_both_clocks() -> None:
    (row,) = race([Entry("a", lambda: None)], rounds=4)
    assert len(row.processor) == len(row.wall) == 4


def test_who_cannot_take_part_is_a_row_that_says_why() -> None:
    rows = race([Entry("a", lambda: None), Entry("b", None, "not installed")], rounds=1)
    assert rows[1] == Row("b", why="not installed")


def test_a_ratio_is_the_median_of_paired_rounds() -> None:
    found = ratio(FAST, SLOW, "processor")
    assert found is not None
    assert (found.median, found.lowest, found.highest) == (2.0, 1.0, 4.0)
    assert ratio(FAST, ABSENT, "processor") is None


def test_a_table_counts_for_each_crystal_and_against_the_first_row() -> None:
    _, first, second, third = table([SLOW, FAST, ABSENT], n=10).splitlines()
    assert "400.0" in first and "900.0" in first and "1.00x" in first
    assert "200.0" in second and "2.00x (1.00..4.00)" in second
    assert third.endswith("not installed")


def test_a_table_without_its_base_still_has_times() -> None:
    assert "200.0" in table([ABSENT, FAST], n=10)


def test_json_holds_medians_rounds_and_ratios() -> None:
    slow, fast, absent = as_json([SLOW, FAST, ABSENT], n=10)
    assert fast["processor_us"] == pytest.approx(200)
    assert fast["wall_us_of_each_round"] == pytest.approx([100, 200, 400])
    assert fast["times_as_fast"]["median"] == pytest.approx(2)
    assert slow["times_as_fast"]["highest"] == 1
    assert absent == {"name": "absent", "why": "not installed", "times_as_fast": None}


def test_a_row_is_found_by_how_its_name_begins() -> None:
    assert named([SLOW, FAST], "fa") is FAST
    assert named([SLOW], "none").why


def test_a_report_says_where_and_when_and_with_what(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chosen = options("A race.\n\nMore.", 5, 3, arguments=["--rounds", "2", "--json", str(tmp_path / "a.json")])
    closed(opened("A race.\n\nMore.", chosen, peers.versions()), chosen.json)
    written = json.loads((tmp_path / "a.json").read_text())
    assert written["what"] == "A race." and written["rounds"] == 2 and written["versions"]["torch"]
    assert written["date"] in capsys.readouterr().out


def test_switches_and_sets_come_from_the_command_line() -> None:
    chosen = options("A race.", 5, 3, switches=["--learn", "--device"], arguments=["--learn", "--set", "a", "b"])
    assert chosen.learn and chosen.device == "cpu" and chosen.set == ["a", "b"] and chosen.crystals == 5


def test_processor_time_counts_only_where_one_thread_does_all_the_work() -> None:
    assert CPU.clock == "processor"
    assert Device("cpu", threads=2).clock == Device("cuda").clock == "wall"
