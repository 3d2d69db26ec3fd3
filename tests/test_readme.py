"""The README keeps its word."""

import re
from pathlib import Path

from cgcnn.data.samples import sample_names

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.M | re.S)


def test_the_notebook_lines_print_what_the_readme_says(capsys, monkeypatch) -> None:
    monkeypatch.chdir(ROOT)
    graph, published = blocks("python")
    notebook: dict = {}
    exec(graph, notebook)
    assert capsys.readouterr().out.strip() == re.search(r"# (.*)$", graph.strip().splitlines()[-1])[1]
    exec(published, notebook)
    assert 4 < float(capsys.readouterr().out.strip().strip("[]")) < 6


def test_every_page_stands_in_the_readme() -> None:
    pages = [path.stem.capitalize() for path in (ROOT / "pages").glob("*.py")]
    assert all(f"| {page} | " in README for page in pages)


def test_one_command_starts_the_app_and_one_passes_the_tests() -> None:
    start, test, *_ = blocks("sh")
    assert "streamlit run app.py" in start and test.strip().endswith("python -m pytest")
    assert all("pip install -r requirements.txt" in command for command in (start, test))


def test_the_numbers_of_the_readme_are_true() -> None:
    assert f"{len(sample_names())} samples" in README and "6,317 crystals" in README


def test_every_requirement_is_pinned_and_has_a_reason_or_is_for_tests() -> None:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    needed = [line for line in lines if line and not line.startswith("#")]
    assert all("==" in line for line in needed) and "torch==2.13.0" in {line.split()[0] for line in needed}


def test_every_picture_of_the_readme_is_there() -> None:
    for picture in re.findall(r"!\[.*?\]\((.*?)\)", README):
        assert (ROOT / picture).is_file(), picture
