"""A run goes out as a zip and comes back the same; what is wrong with a zip is one sentence, and nothing is kept."""

import io
import json
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save

from cgcnn.data.samples import load_sample
from cgcnn.data.structures import write_structure
from cgcnn.data.targets import TARGETS
from cgcnn.errors import RunError
from cgcnn.runs.export import (
    SOURCE_FILE,
    epoch_rows,
    export_zip,
    main,
    script_of,
    tensorboard_zip,
    to_mlflow,
    zipped,
)
from cgcnn.runs.imported import import_zip
from cgcnn.runs.store import RunStore
from cgcnn.runs.worker import work
from cgcnn.training.experiment import RunConfig

ROOT = Path(__file__).parents[2]
SMALL = {
    "dataset.max_crystals": 60,
    "dataset.split": "random",
    "model.n_convs": 1,
    "model.atom_dim": 8,
    "model.hidden_dim": 8,
    "train.epochs": 2,
}


def own_set(folder: Path) -> Path:
    """Twenty-four crystals of one's own: rock salt, strained."""
    folder.mkdir()
    salt = load_sample("NaCl").structure
    for n in range(24):
        (folder / f"c{n}.cif").write_text(write_structure(salt.copy().apply_strain(0.002 * n, inplace=False), "cif"))
    (folder / "id_prop.csv").write_text("".join(f"c{n},{0.1 * n}\n" for n in range(24)))
    return folder


def trained(home: Path, **changes: Any) -> tuple[RunStore, str]:
    store = RunStore(home)
    run_id = store.submit(RunConfig().with_(**SMALL | changes), name="small")
    lease = store.take("here")
    assert lease is not None
    work(store, lease)
    assert store.run(run_id).state == "finished", store.run(run_id).error
    return store, run_id


@pytest.fixture(scope="module")
def built_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunStore, str]]:
    store, run_id = trained(tmp_path_factory.mktemp("home"))
    yield store, run_id
    store.close()


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunStore, str]]:
    folder = own_set(tmp_path_factory.mktemp("crystals") / "salts")
    changes = {"dataset.source": "folder", "dataset.path": str(folder), "dataset.target": "id_prop"}
    store, run_id = trained(tmp_path_factory.mktemp("home"), **changes, **{"dataset.max_crystals": 0})
    yield store, run_id
    store.close()


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[RunStore]:
    store = RunStore(tmp_path / "elsewhere")
    yield store
    store.close()


OF_SEVERAL = {"dataset.target": "band_gap", "dataset.also": ("metal", "density"), "dataset.max_crystals": 200}


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunStore, str]]:
    store, run_id = trained(tmp_path_factory.mktemp("home"), **OF_SEVERAL, **{"train.weights": "1, 0.5, 2"})
    yield store, run_id
    store.close()


@pytest.fixture(scope="module")
def of_class(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunStore, str]]:
    store, run_id = trained(tmp_path_factory.mktemp("home"), **{"dataset.target": "metal"})
    yield store, run_id
    store.close()


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunStore, str]]:
    """A run that starts from another one, and that from a set of its own."""
    folder, home = own_set(tmp_path_factory.mktemp("crystals") / "salts"), tmp_path_factory.mktemp("home")
    changes = {"dataset.source": "folder", "dataset.path": str(folder), "dataset.target": "id_prop"}
    store, source = trained(home, **changes, **{"dataset.max_crystals": 0})
    store.close()
    store, run_id = trained(home, **{"transfer.source": source})
    yield store, run_id
    store.close()


def files_of(data: bytes) -> dict[str, bytes]:
    archive = zipfile.ZipFile(io.BytesIO(data))
    return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("kind", ["built_in", "own", "several", "of_class", "started"])
def test_what_was_imported_exports_as_the_same_bytes(kind: str, elsewhere: RunStore, request: Any) -> None:
    first = export_zip(*request.getfixturevalue(kind))
    again = import_zip(elsewhere, first, user="ada")
    assert files_of(export_zip(elsewhere, again)) == files_of(first)
    run = elsewhere.run(again)
    assert (run.state, run.user, run.name) == ("finished", "ada", "small")


def test_an_imported_network_answers_as_the_original(built_in: tuple[RunStore, str], elsewhere: RunStore) -> None:
    from cgcnn.training.predictor import Predictor

    store, run_id = built_in
    again = import_zip(elsewhere, export_zip(store, run_id))
    crystals = [load_sample(name).structure for name in ("NaCl", "MgO")]
    answers = [Predictor.of_checkpoint(*s.checkpoint(i)).predict(crystals) for s, i in [built_in, (elsewhere, again)]]
    assert answers[0] == answers[1]


LAST_LINE = {  # what the script says last: the error of the main target in its unit
    "built_in": "test MAE {:.7f} eV/atom",
    "own": "test MAE {:.7f}",
    "several": "test MAE {:.7f} eV",
    "of_class": "test share wrong {:.7f}",
    "started": "test MAE {:.7f} eV/atom",
}


@pytest.mark.parametrize("kind", LAST_LINE)
def test_the_script_alone_prints_the_same_test_error(kind: str, tmp_path: Path, request: Any) -> None:
    store, run_id = request.getfixturevalue(kind)
    files = files_of(export_zip(store, run_id))
    for name, data in files.items():
        if name in ("repeat.py", SOURCE_FILE) or name.startswith("crystals/"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_bytes(data)
    command = [sys.executable, "-P", "repeat.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    (test,) = store.events(run_id, kinds=["test"])
    assert done.stdout.splitlines()[-1] == LAST_LINE[kind].format(test.data["mae"]), done.stderr
    for name, other in test.data["others"].items():
        label = TARGETS[name].label
        assert f"{label}: test " in done.stdout and f" {other['mae']:.7f}" in done.stdout


@pytest.mark.parametrize("kind", ["own", "started"])
def test_no_path_of_a_user_leaves_the_machine(kind: str, request: Any) -> None:
    store, run_id = request.getfixturevalue(kind)
    path = next(run.config.dataset.path for run in store.runs() if run.config.dataset.path).encode()
    files = files_of(export_zip(store, run_id))
    assert not any(path in data for data in files.values())
    assert not any(str(ROOT).encode() in data for name, data in files.items() if name != "repeat.py")


def test_further_targets_have_columns_and_rows_of_their_own(several: tuple[RunStore, str]) -> None:
    files = files_of(export_zip(*several))
    head = files["metrics.csv"].decode().splitlines()[0].split(",")
    assert "val_mae density" in head and "train_mae metal" in head and "val_maes" not in head
    lines = files["predictions.csv"].decode().splitlines()
    assert lines[0] == "target,id,formula,truth,predicted"
    assert {line.split(",")[0] for line in lines[1:]} == {"band_gap", "metal", "density"}


def test_the_curve_of_one_target_has_no_lists(built_in: tuple[RunStore, str]) -> None:
    head = files_of(export_zip(*built_in))["metrics.csv"].decode().splitlines()[0].split(",")
    assert "val_mae" in head and not [name for name in head if name.endswith("maes")]


def test_epochs_of_an_earlier_version_stand_in_one_table_with_later_ones() -> None:
    rows = epoch_rows([{"epoch": 1}, {"epoch": 2, "score": 0.5, "val_maes": [1.0, 2.0]}], ["band_gap", "metal"])
    assert rows[0].keys() == rows[1].keys() and rows[1]["val_mae metal"] == 2.0 and rows[0]["score"] is None


def test_a_run_brings_the_network_that_it_starts_from(started: tuple[RunStore, str], elsewhere: RunStore) -> None:
    store, run_id = started
    again = elsewhere.run(import_zip(elsewhere, export_zip(store, run_id)))
    source = elsewhere.run(again.config.transfer.run)
    ours, theirs = (
        s.checkpoint(i) for s, i in [(store, store.run(run_id).config.transfer.run), (elsewhere, source.id)]
    )
    assert all(torch.equal(w, theirs[0][name]) for name, w in ours[0].items())
    assert source.name == "start of small" and source.config.dataset.target == "id_prop"
    import_zip(elsewhere, export_zip(elsewhere, again.id))
    assert len(elsewhere.runs()) == 3, "the source is kept once"


def test_a_source_that_is_gone_is_told(tmp_path: Path, elsewhere: RunStore) -> None:
    store, source = trained(tmp_path)
    _, run_id = trained(tmp_path, **{"transfer.source": source})
    store.delete(source)
    data = export_zip(store, run_id)
    assert SOURCE_FILE not in files_of(data) and b"is gone from the machine" in files_of(data)["README.txt"]
    assert elsewhere.run(import_zip(elsewhere, data)).config.transfer.run == "source"
    store.close()


def test_a_published_source_needs_no_file_and_keeps_its_name(tmp_path: Path, elsewhere: RunStore) -> None:
    wide = {"model.atom_dim": 64, "transfer.source": "published: band gap"}
    store, run_id = trained(tmp_path, **wide)
    files = files_of(export_zip(store, run_id))
    assert SOURCE_FILE not in files and b"checkpoint_of" not in files["repeat.py"]
    again = elsewhere.run(import_zip(elsewhere, zipped(files)))
    assert again.config.transfer.published == "band gap" and len(elsewhere.runs()) == 1
    store.close()


SEVERAL_WRONG: dict[str, tuple[bytes, bytes]] = {
    "a target of another run": (b'"labels": {"band_gap"', b'"labels": {"magnetic"'),
    "another further target": (b'"others": {"metal"', b'"others": {"magnetic"'),
    "too few errors": (b'"val_maes": [', b'"val_maes": [0.5], "train_maes": ['),
    "a class that is none": (b'"metal": {"mae"', b'"metal": {"x": 1, "mae"'),
}


@pytest.mark.parametrize("name", SEVERAL_WRONG)
def test_what_is_said_of_other_targets_is_refused(
    name: str, several: tuple[RunStore, str], elsewhere: RunStore
) -> None:
    files = files_of(export_zip(*several))
    replaced("events.jsonl", *SEVERAL_WRONG[name])(files)
    with pytest.raises(RunError) as caught:
        import_zip(elsewhere, zipped(files))
    assert str(caught.value).endswith(".") and elsewhere.runs() == []


def test_a_probability_above_one_is_refused(of_class: tuple[RunStore, str], elsewhere: RunStore) -> None:
    files = files_of(export_zip(*of_class))
    replaced("events.jsonl", b'"predicted": [', b'"predicted": [7, ')(files)
    replaced("events.jsonl", b'"truth": [', b'"truth": [1, ')(files)
    replaced("events.jsonl", b'"ids": [', b'"ids": ["x", ')(files)
    replaced("events.jsonl", b'"formulas": [', b'"formulas": ["Cu", ')(files)
    with pytest.raises(RunError, match="its probability lies between"):
        import_zip(elsewhere, zipped(files))


def test_a_damaged_source_leaves_nothing(started: tuple[RunStore, str], elsewhere: RunStore) -> None:
    files = files_of(export_zip(*started))
    files[SOURCE_FILE] = files[SOURCE_FILE][:200]
    with pytest.raises(RunError, match=SOURCE_FILE):
        import_zip(elsewhere, zipped(files))
    assert elsewhere.runs() == [] and kept_files(elsewhere) == []


def test_a_stopped_run_repeats_the_epochs_that_it_had() -> None:
    assert "LAST_EPOCH = 3 " in script_of(RunConfig().to_dict(), 3)
    assert "LAST_EPOCH = 60 " in script_of(RunConfig().to_dict())


def test_a_set_that_is_gone_is_told(own: tuple[RunStore, str], tmp_path: Path) -> None:
    changes = {"dataset.source": "folder", "dataset.path": str(own_set(tmp_path / "mine")), "dataset.max_crystals": 0}
    store, run_id = trained(tmp_path / "home", **changes, **{"dataset.target": "id_prop"})
    for file in (tmp_path / "mine").iterdir():
        file.unlink()
    assert b"are gone from the machine" in files_of(export_zip(store, run_id))["README.txt"]
    store.close()


Change = Callable[[dict[str, bytes]], None]


def set_file(name: str, data: bytes) -> Change:
    return lambda files: files.update({name: data})


def replaced(name: str, old: bytes, new: bytes) -> Change:
    def change(files: dict[str, bytes]) -> None:
        assert old in files[name]
        files[name] = files[name].replace(old, new, 1)

    return change


def reweighed(**tensors: torch.Tensor) -> Change:
    def change(files: dict[str, bytes]) -> None:
        length = int.from_bytes(files["model.safetensors"][:8], "little")
        about = json.loads(files["model.safetensors"][8 : 8 + length])["__metadata__"]["about"]
        files["model.safetensors"] = save(tensors, {"about": about})

    return change


WRONG: dict[str, Change] = {
    "no settings": lambda files: files.pop("config.json"),
    "settings that are no object": set_file("config.json", b"[1]"),
    "settings within settings that are none": set_file("config.json", b'{"model": 3}'),
    "settings nested without end": set_file("config.json", b"[" * 50_000),
    "a setting out of bounds": replaced("config.json", b'"epochs": 2', b'"epochs": 999999'),
    "an unknown setting": replaced("config.json", b'"epochs"', b'"epoch"'),
    "an endless number": replaced("events.jsonl", b'"val_mae": ', b'"val_mae": 1e999, "x": '),
    "a number that is none": replaced("events.jsonl", b'"val_mae": ', b'"val_mae": NaN, "x": '),
    "a word for a number": replaced("events.jsonl", b'"best_epoch": ', b'"best_epoch": "x", "y": '),
    "an unknown kind": replaced("events.jsonl", b'"kind": "epoch"', b'"kind": "shell"'),
    "a formula that is none": replaced("events.jsonl", b'"formulas": ["', b'"formulas": ["<script>'),
    "an event twice": lambda files: files.update({"events.jsonl": files["events.jsonl"] * 2}),
    "no epoch": set_file("events.jsonl", b""),
    "more epochs than the settings say": replaced("config.json", b'"epochs": 2', b'"epochs": 1'),
    "no text": set_file("events.jsonl", b"\xff\xfe\x00"),
    "too many events": set_file("events.jsonl", b"{}\n" * 200_001),
    "weights of another kind": set_file("model.safetensors", b"\x80\x04pickled"),
    "weights of another network": reweighed(w=torch.zeros(3)),
    "another format": replaced("run.json", b'"format": 1', b'"format": 2'),
    "a file too large": set_file("run.json", b" " * 20_000),
}


def kept_files(store: RunStore) -> list[Path]:
    return sorted(f for name in ("checkpoints", "sets") for f in (store.folder / name).rglob("*"))


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_zip_is_one_sentence_and_leaves_nothing(
    name: str, built_in: tuple[RunStore, str], elsewhere: RunStore
) -> None:
    files = files_of(export_zip(*built_in))
    WRONG[name](files)
    with pytest.raises(RunError) as caught:
        import_zip(elsewhere, zipped(files))
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value) and len(str(caught.value)) < 400
    assert elsewhere.runs() == [] and kept_files(elsewhere) == []


def test_weights_that_are_not_finite_are_refused(built_in: tuple[RunStore, str], elsewhere: RunStore) -> None:
    store, run_id = built_in
    weights, _ = store.checkpoint(run_id)
    files = files_of(export_zip(*built_in))
    reweighed(**{name: w * torch.inf if w.is_floating_point() else w for name, w in weights.items()})(files)
    with pytest.raises(RunError, match="no finite number"):
        import_zip(elsewhere, zipped(files))


@pytest.mark.parametrize("data", [b"", b"nothing", b"PK\x03\x04" + b"\x00" * 40])
def test_what_is_no_zip_is_refused(data: bytes, elsewhere: RunStore) -> None:
    with pytest.raises(RunError, match="no zip file"):
        import_zip(elsewhere, data)


def test_a_zip_that_unpacks_to_more_than_it_says_is_counted_while_it_is_read(elsewhere: RunStore) -> None:
    with pytest.raises(RunError, match="more than the 100,000 bytes"):
        import_zip(elsewhere, zipped({"config.json": b"0" * 50_000_000}))


def test_member_paths_lead_nowhere(built_in: tuple[RunStore, str], elsewhere: RunStore) -> None:
    files = {f"../../outside/{name}": data for name, data in files_of(export_zip(*built_in)).items()}
    import_zip(elsewhere, zipped(files | {"../../crystals/../evil.cif": b"x"}))
    assert (
        not (elsewhere.folder.parent.parent / "outside").exists()
        and not (elsewhere.folder.parent / "evil.cif").exists()
    )


def test_a_path_in_the_settings_reads_nothing_of_this_machine(own: tuple[RunStore, str], elsewhere: RunStore) -> None:
    files = {n: d for n, d in files_of(export_zip(*own)).items() if not n.startswith("crystals/")}
    replaced("config.json", b'"path": "crystals"', json.dumps({"path": str(ROOT / "sample_cifs")})[1:-1].encode())(
        files
    )
    assert elsewhere.run(import_zip(elsewhere, zipped(files))).config.dataset.path == ""


def test_tensorboard_gets_every_epoch(built_in: tuple[RunStore, str]) -> None:
    (data,) = files_of(tensorboard_zip(*built_in)).values()
    assert data.count(b"MAE/validation") == 2 and b"MAE/test" in data


def test_tensorboard_gets_every_target(several: tuple[RunStore, str], of_class: tuple[RunStore, str]) -> None:
    (data,) = files_of(tensorboard_zip(*several)).values()
    assert b"MAE/validation" in data and b"Share_wrong/validation_Metal_or_not" in data and b"MAE/test_Density" in data
    (data,) = files_of(tensorboard_zip(*of_class)).values()
    assert b"Share_wrong/test" in data and b"MAE" not in data


def test_without_mlflow_there_is_a_sentence(built_in: tuple[RunStore, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(RunError, match="pip install mlflow-skinny"):
        to_mlflow(*built_in, "sqlite:///nowhere.db")


def test_the_command_writes_the_zip_and_names_a_wrong_run(
    built_in: tuple[RunStore, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store, run_id = built_in
    out = tmp_path / "out.zip"
    assert main([str(store.folder), run_id, str(out), "--tensorboard", str(tmp_path / "board")]) == 0
    assert out.read_bytes() == export_zip(*built_in) and list((tmp_path / "board").iterdir())
    assert main([str(store.folder), "00000000", str(out)]) == 1 and "no run" in capsys.readouterr().err
    assert main([str(tmp_path), run_id, str(out)]) == 1 and "holds no runs" in capsys.readouterr().err


EPOCH = {"train_loss": 1.0, "val_loss": 1.0, "train_mae": 0.5, "val_mae": 0.5, "learning_rate": 0.1, "seconds": 0.5}
EPOCH |= {"crystals_per_second": 9.0}
TEST = {"best_epoch": 1, "mae": 0.2, "mean_mae": 1.0, "median_mae": 1.0, "ids": ["a"], "formulas": ["NaCl"]}
TEST |= {"truth": [0.0], "predicted": [0.2]}


def epoch(n: int) -> tuple[str, int, dict[str, Any]]:
    return "epoch", n, EPOCH | {"epoch": n}


def resumed(attempt: int, at: int) -> tuple[str, int, dict[str, Any]]:
    return "resumed", attempt, {"attempt": attempt, "epoch": at, "batch": 0}


def taken(store: RunStore) -> Any:
    lease = store.take("w")
    assert lease is not None
    return lease


def paused_and_resumed(store: RunStore, run_id: str) -> None:
    store.finish(taken(store), "paused", events=[epoch(1)])
    store.request(run_id, "run")
    store.finish(taken(store), "finished", events=[resumed(2, 1), epoch(2), ("test", 1, TEST)])


def stopped(store: RunStore, run_id: str) -> None:
    store.finish(taken(store), "stopped", events=[epoch(1), ("test", 1, TEST)])


def lost_its_worker(store: RunStore, run_id: str) -> None:
    """The second worker says what the first had not, between what the first had said."""
    said = {"step": 9, "epoch": 2, "batch": 1, "n_batches": 4, "loss": 1.0, "mae": 0.5}
    store.record(taken(store), [epoch(2), ("batch", 9, said)])
    store.abandon("w", "killed")
    again = [resumed(2, 0), ("batch", 2, said | {"step": 2, "epoch": 1}), epoch(1), epoch(2), ("test", 1, TEST)]
    store.finish(taken(store), "finished", events=again)


@pytest.mark.parametrize("story", [paused_and_resumed, stopped, lost_its_worker])
def test_a_run_with_a_story_comes_back_whole(story: Any, elsewhere: RunStore, tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    run_id = store.submit(RunConfig().with_(**SMALL))
    story(store, run_id)
    again = import_zip(elsewhere, export_zip(store, run_id))
    assert [(e.kind, e.data) for e in elsewhere.events(again)] == [(e.kind, e.data) for e in store.events(run_id)]
    lines = files_of(export_zip(store, run_id))["metrics.csv"].decode().splitlines()[1:]
    place = list(EPOCH | {"epoch": 0}).index("epoch")
    assert [int(line.split(",")[place]) for line in lines] == list(range(1, len(lines) + 1))
    store.close()


@pytest.mark.parametrize("data", [{"attempt": 2}, {"attempt": 2, "epoch": -1, "batch": 0}, {"attempt": 2, "at": 3}])
def test_how_a_run_was_resumed_is_checked(data: dict[str, int], built_in: Any, elsewhere: RunStore) -> None:
    files = files_of(export_zip(*built_in))
    line = json.dumps({"kind": "resumed", "step": 2, "data": data}).encode() + b"\n"
    files["events.jsonl"] += line
    if set(data) == {"attempt"}:  # as earlier versions wrote it
        import_zip(elsewhere, zipped(files))
    else:
        with pytest.raises(RunError, match="resumed"):
            import_zip(elsewhere, zipped(files))


def raising(mistake: Exception) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> None:
        raise mistake

    return fail


@pytest.mark.parametrize(
    "mistake", [RunError("The disk is full."), sqlite3.OperationalError("database is locked"), OSError(28, "no space")]
)
def test_what_cannot_be_kept_leaves_nothing(
    mistake: Exception, own: tuple[RunStore, str], elsewhere: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RunStore, "_insert_run", raising(mistake))
    with pytest.raises(RunError) as caught:
        import_zip(elsewhere, export_zip(*own))
    assert str(caught.value).endswith(".") and elsewhere.runs() == []
    assert [file for file in kept_files(elsewhere) if file.is_file()] == []


def test_a_set_that_was_there_before_stays(
    own: tuple[RunStore, str], elsewhere: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_zip(elsewhere, export_zip(*own))
    before = kept_files(elsewhere)
    monkeypatch.setattr(RunStore, "_insert_run", raising(RunError("The disk is full.")))
    with pytest.raises(RunError, match="is full"):
        import_zip(elsewhere, export_zip(*own))
    assert kept_files(elsewhere) == before


@pytest.mark.parametrize("processes", [1, 2])
def test_the_readme_says_that_a_shared_run_differs_in_its_last_digits(processes: int, tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    run_id = store.submit(RunConfig().with_(**SMALL | {"train.processes": processes}))
    readme = files_of(export_zip(store, run_id))["README.txt"].decode()
    assert ("2 processes shared this run" in readme) == (processes == 2)
    store.close()
