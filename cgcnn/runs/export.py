"""A run as files to take home: `python -m cgcnn.runs.export FOLDER RUN_ID out.zip` writes what the page offers.

The zip holds all that a run left, and a script that trains it again. `imported.py` reads it back.
"""

import argparse
import io
import json
import re
import sys
import zipfile
from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path, PurePath
from typing import Any

from cgcnn.data.archive import folder_files, zip_files
from cgcnn.data.csv_text import csv_of
from cgcnn.data.folder import ENDINGS
from cgcnn.data.id_prop import TABLE
from cgcnn.data.targets import TARGETS
from cgcnn.errors import CrystalError, RunError
from cgcnn.runs.export_script import SOURCE_FILE, script_of, source_run
from cgcnn.runs.records import Run, StoredEvent
from cgcnn.runs.store import RunStore
from cgcnn.runs.trackers import tensorboard_zip, to_mlflow, write_tensorboard

__all__ = [
    "CRYSTALS",
    "FORMAT",
    "SOURCE",
    "SOURCE_FILE",
    "epoch_rows",
    "export_zip",
    "main",
    "predictions",
    "script_of",
    "tensorboard_zip",
    "to_mlflow",
    "zipped",
]

FORMAT = 1  # of the zip; another number when a reader of today could not read it
CRYSTALS = "crystals"  # the folder of a data set of one's own, in the zip and beside the script
SOURCE = "source"  # what stands in the settings for the run that this one starts from
_HASH = re.compile(r"-[0-9a-f]{10}$")  # which `save_zip` adds to a set's name
_DAY = (1980, 1, 1, 0, 0, 0)  # of every file in the zip: the same run gives the same bytes

README = """{name}

A run of Crystal Graph Lab: {target}, {epochs} epochs.{test}

To train it again with the same numbers, with the Python of Crystal Graph Lab:

    python repeat.py

(On another machine, CRYSTAL_GRAPH_LAB=/where/it/lies says where the lab lies.)
Its last line is the test error. Another kind of processor, or another number of threads, may change the last digits.
{processes}To look at it in the lab, open the Compare page and bring this zip.

config.json         every setting
events.jsonl        what the run said, one event a line, in order
metrics.csv         one line an epoch
predictions.csv     the test crystals: true and predicted values in {unit}
model.safetensors   the weights of the best epoch; cannot run code
repeat.py           trains it again
run.json            its name
{source}{crystals}"""


def export_zip(store: RunStore, run_id: str) -> bytes:
    """All that a run left, as a zip; the same for every copy of the run.

    A run that starts from another takes the network of that along, and not its settings to train it first: so it begins
    with the very same numbers, on any processor, and needs no crystals but its own.
    """
    run, events = store.run(run_id), store.events(run_id)
    settings, crystals, lost = _portable(run)
    epochs = sorted((event.data for event in events if event.kind == "epoch"), key=lambda epoch: epoch["epoch"])
    test = next((event.data for event in reversed(events) if event.kind == "test"), None)
    source = _source(store, run)
    files = {
        "README.txt": _readme(run, epochs, test, lost, source).encode(),
        "config.json": _json(settings),
        "run.json": _json({"format": FORMAT, "name": run.name, "set": _set_name(run)}),
        "events.jsonl": b"".join(_line(event) for event in events),
        "metrics.csv": csv_of(epoch_rows(epochs, _targets(run))).encode(),
        "repeat.py": script_of(settings, len(epochs)).encode(),
    }
    if test:
        files["predictions.csv"] = csv_of(predictions(test, _targets(run))).encode()
    if network := _network(store, run_id, settings):
        files["model.safetensors"] = network
    if source:
        files[SOURCE_FILE] = source
    return zipped(files | {f"{CRYSTALS}/{name}": data for name, data in crystals.items()})


def predictions(test: Mapping[str, Any], targets: Sequence[str] = ()) -> list[dict[str, Any]]:
    """One row for each test crystal: id, formula, truth, predicted; `test` has the fields of TestMetrics.

    With several `targets`, the main one first, a row for each crystal and target that it has, and the target's name.
    """
    if len(targets) < 2:
        return _rows_of(test)
    sides = [(targets[0], test), *((name, test.get("others", {}).get(name)) for name in targets[1:])]
    return [{"target": name, **row} for name, side in sides if side for row in _rows_of(side)]


def _rows_of(test: Mapping[str, Any]) -> list[dict[str, Any]]:
    columns = zip(test["ids"], test["formulas"], test["truth"], test["predicted"], strict=True)
    return [{"id": i, "formula": f, "truth": t, "predicted": p} for i, f, t, p in columns]


def epoch_rows(epochs: Sequence[Mapping[str, Any]], targets: Sequence[str] = ()) -> list[dict[str, Any]]:
    """One row for each epoch, as a table has it: the errors of further `targets` stand in columns of their own."""
    rows = []
    for epoch in epochs:
        row = {name: value for name, value in epoch.items() if name not in LISTS}
        for name in LISTS:
            known = dict(zip(targets, epoch.get(name) or (), strict=False))
            row |= {f"{name[:-1]} {target}": known.get(target) for target in targets[1:]}
        rows.append(row)
    columns = dict.fromkeys(name for row in rows for name in row)  # those of an earlier version lack some
    return [{name: row.get(name) for name in columns} for row in rows]


LISTS = ("train_maes", "val_maes")  # fields of an epoch with one error for each target, the main one first


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip of these files; equal files give equal bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name, _DAY)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(info, data)
    return out.getvalue()


def _portable(run: Run) -> tuple[dict[str, Any], dict[str, bytes], bool]:
    """The settings without a path of this machine, the crystals that the path led to, and whether these are gone."""
    settings = json.loads(json.dumps(run.settings))
    path = settings["dataset"].get("path", "")
    settings["dataset"]["path"] = ""
    if source_run(settings):
        settings["transfer"]["source"] = SOURCE
    if settings["dataset"].get("source") != "folder":
        return settings, {}, False
    settings["dataset"]["path"] = CRYSTALS
    try:
        crystals = _crystal_files(Path(path))
    except (CrystalError, OSError):
        return settings, {}, True
    return settings, crystals, TABLE not in crystals


def _source(store: RunStore, run: Run) -> bytes | None:
    """The network that a run starts from, without a path of this machine; None without one, or when it is gone."""
    source = source_run(run.settings)
    try:
        kept = store.checkpoint(source) if source else None
    except RunError:  # deleted since
        kept = None
    if kept is None:
        return None
    settings = json.loads(json.dumps(kept[1]["config"]))
    settings["dataset"]["path"] = ""
    return _saved(kept[0], kept[1] | {"config": settings})


def _targets(run: Run) -> list[str]:
    """The names of a run's targets, the main one first."""
    dataset = run.settings["dataset"]
    return [dataset["target"], *dataset.get("also", ())]


def _crystal_files(path: Path) -> dict[str, bytes]:
    files = folder_files(path) if path.is_dir() else zip_files(path.read_bytes(), path.name)[0]
    found = {}
    for name in sorted(files):
        if name == TABLE or PurePath(name).suffix.lower() in ENDINGS:
            try:
                found[name] = files[name]()
            except CrystalError:  # damaged or too large: the run did without it, too
                continue
    return found


def _set_name(run: Run) -> str:
    """The name of a data set of one's own, without what the lab adds to it."""
    dataset = run.settings["dataset"]
    return _HASH.sub("", PurePath(dataset.get("path", "")).stem) if dataset.get("source") == "folder" else ""


def _network(store: RunStore, run_id: str, settings: Mapping[str, Any]) -> bytes | None:
    kept = store.checkpoint(run_id)
    if kept is None:
        return None
    return _saved(kept[0], kept[1] | {"config": settings})


def _saved(weights: Mapping[str, Any], about: Mapping[str, Any]) -> bytes:
    from safetensors.torch import save  # here: whoever looks at the page for the first time need not wait for torch

    told = {name: about[name] for name in ("config", "normalizer", "epoch")}
    return save(dict(weights), {"about": json.dumps(told, sort_keys=True)})


def _json(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()


def _line(event: StoredEvent) -> bytes:
    record = {"kind": event.kind, "step": event.step, "data": _finite(event.data)}
    return (json.dumps(record, allow_nan=False) + "\n").encode()


def _finite(value: Any) -> Any:
    """JSON has no infinite numbers: they become null."""
    if isinstance(value, Mapping):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def _readme(run: Run, epochs: Sequence[Any], test: Mapping[str, Any] | None, lost: bool, source: bytes | None) -> str:
    targets = [TARGETS[name] for name in _targets(run)]
    target, several = targets[0], len(targets) > 1
    crystals = f"{CRYSTALS}/           the data set, with {TABLE}\n" if _set_name(run) else ""
    if lost:
        crystals = f"\nIts crystals are gone from the machine: put them and {TABLE} into a folder {CRYSTALS} here.\n"
    return README.format(
        name=" ".join(run.name.split()) or "A run without a name",
        target=", ".join(one.axis for one in targets),
        epochs=len(epochs),
        processes=_shared_words(run),
        test=f" Test {target.error_text(test['mae'], 7)}." if test else "",
        unit="the unit of each target" if several else target.unit or "the target's own unit",
        source=_source_words(run, source),
        crystals=crystals,
    )


def _source_words(run: Run, source: bytes | None) -> str:
    if not source_run(run.settings):
        return ""
    if source is None:
        return f"\nThe network that it starts from is gone from the machine: put its file here as {SOURCE_FILE}.\n"
    return f"{SOURCE_FILE}  the network that it starts from; cannot run code\n"


def _shared_words(run: Run) -> str:
    """What is to be known of a run that several processes shared: the script is one process."""
    n = run.settings["train"].get("processes", 1)
    return f"{n} processes shared this run, and repeat.py trains in one: the last digits differ.\n" if n > 1 else ""


def main(arguments: Sequence[str]) -> int:
    """Write the zip of a run, and hand the run to TensorBoard or MLflow where asked; the answer is the exit status."""
    parser = argparse.ArgumentParser(prog="python -m cgcnn.runs.export", description=main.__doc__)
    parser.add_argument("folder", help="where the lab keeps its runs, such as ~/.crystal-graph-lab")
    parser.add_argument("run", help="the id of the run")
    parser.add_argument("zip", help="the file to write")
    parser.add_argument("--mlflow", metavar="URI", help="also log the run to this MLflow tracking server")
    parser.add_argument("--tensorboard", metavar="DIR", help="also write event files for TensorBoard into this folder")
    asked = parser.parse_args(arguments)
    try:
        if not (Path(asked.folder) / "runs.sqlite").exists():
            raise RunError(f"{asked.folder} holds no runs; give the folder that holds runs.sqlite.")
        store = RunStore(asked.folder)
        Path(asked.zip).write_bytes(export_zip(store, asked.run))
        if asked.tensorboard:
            write_tensorboard(store, asked.run, Path(asked.tensorboard))
        if asked.mlflow:
            print(f"MLflow run {to_mlflow(store, asked.run, asked.mlflow)}")
    except CrystalError as mistake:
        print(mistake, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
