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
from pprint import pformat
from typing import Any

from cgcnn.data.archive import folder_files, zip_files
from cgcnn.data.csv_text import csv_of
from cgcnn.data.folder import ENDINGS
from cgcnn.data.id_prop import TABLE
from cgcnn.data.targets import TARGETS
from cgcnn.errors import CrystalError, RunError
from cgcnn.runs.engines import ROOT
from cgcnn.runs.records import Run, StoredEvent
from cgcnn.runs.store import RunStore
from cgcnn.runs.trackers import tensorboard_zip, to_mlflow, write_tensorboard

__all__ = ["CRYSTALS", "FORMAT", "export_zip", "main", "script_of", "tensorboard_zip", "to_mlflow", "zipped"]

FORMAT = 1  # of the zip; another number when a reader of today could not read it
CRYSTALS = "crystals"  # the folder of a data set of one's own, in the zip and beside the script
_HASH = re.compile(r"-[0-9a-f]{10}$")  # which `save_zip` adds to a set's name
_DAY = (1980, 1, 1, 0, 0, 0)  # of every file in the zip: the same run gives the same bytes

SCRIPT = '''"""Trains this run again, with the same numbers: `python repeat.py`, with the lab's Python."""

import os
import sys
from pathlib import Path

LAB = {lab!r}  # where Crystal Graph Lab lies; elsewhere, set CRYSTAL_GRAPH_LAB
sys.path.append(os.environ.get("CRYSTAL_GRAPH_LAB", LAB))

from cgcnn.data.targets import TARGETS
from cgcnn.training.experiment import EpochMetrics, Experiment, RunConfig

SETTINGS = {settings}
LAST_EPOCH = {last}  # the last one that the run finished

here = Path(__file__).parent
if SETTINGS["dataset"]["source"] == "folder":
    SETTINGS["dataset"]["path"] = str(here / SETTINGS["dataset"]["path"])
config = RunConfig.from_dict(SETTINGS)
unit = TARGETS[config.dataset.target].unit
experiment = Experiment(config)
for event in experiment.events():
    if isinstance(event, EpochMetrics):
        print(f"epoch {{event.epoch}}: validation MAE {{event.val_mae:.4f}} {{unit}}".rstrip(), flush=True)
        if event.epoch == LAST_EPOCH:
            break
print(f"test MAE {{experiment.result().mae:.7f}} {{unit}}".rstrip())
'''

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
{crystals}"""


def export_zip(store: RunStore, run_id: str) -> bytes:
    """All that a run left, as a zip; the same for every copy of the run."""
    run, events = store.run(run_id), store.events(run_id)
    settings, crystals, lost = _portable(run)
    epochs = sorted((event.data for event in events if event.kind == "epoch"), key=lambda epoch: epoch["epoch"])
    test = next((event.data for event in reversed(events) if event.kind == "test"), None)
    files = {
        "README.txt": _readme(run, epochs, test, lost).encode(),
        "config.json": _json(settings),
        "run.json": _json({"format": FORMAT, "name": run.name, "set": _set_name(run)}),
        "events.jsonl": b"".join(_line(event) for event in events),
        "metrics.csv": csv_of(epochs).encode(),
        "repeat.py": script_of(settings, len(epochs)).encode(),
    }
    if test:
        files["predictions.csv"] = csv_of(predictions(test)).encode()
    if network := _network(store, run_id, settings):
        files["model.safetensors"] = network
    return zipped(files | {f"{CRYSTALS}/{name}": data for name, data in crystals.items()})


def script_of(settings: Mapping[str, Any], last_epoch: int | None = None) -> str:
    """A Python script that trains a run again and prints its test error; `settings` are RunConfig.to_dict()."""
    last = last_epoch if last_epoch else settings["train"]["epochs"]
    words = pformat(dict(settings), width=100, sort_dicts=False)
    return SCRIPT.format(settings=words, last=last, lab=str(ROOT))


def predictions(test: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row for each test crystal: id, formula, truth, predicted; `test` has the fields of TestMetrics."""
    columns = zip(test["ids"], test["formulas"], test["truth"], test["predicted"], strict=True)
    return [{"id": i, "formula": f, "truth": t, "predicted": p} for i, f, t, p in columns]


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
    if settings["dataset"].get("source") != "folder":
        return settings, {}, False
    settings["dataset"]["path"] = CRYSTALS
    try:
        crystals = _crystal_files(Path(path))
    except (CrystalError, OSError):
        return settings, {}, True
    return settings, crystals, TABLE not in crystals


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
    from safetensors.torch import save  # here: whoever looks at the page for the first time need not wait for torch

    weights, about = kept
    told = {"config": settings, "normalizer": about["normalizer"], "epoch": about["epoch"]}
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


def _readme(run: Run, epochs: Sequence[Any], test: Mapping[str, Any] | None, lost: bool) -> str:
    target = TARGETS[run.settings["dataset"]["target"]]
    crystals = f"{CRYSTALS}/           the data set, with {TABLE}\n" if _set_name(run) else ""
    if lost:
        crystals = f"\nIts crystals are gone from the machine: put them and {TABLE} into a folder {CRYSTALS} here.\n"
    return README.format(
        name=" ".join(run.name.split()) or "A run without a name",
        target=target.axis,
        epochs=len(epochs),
        processes=_shared_words(run),
        test=f" Test MAE {test['mae']:.7f} {target.unit}".rstrip() + "." if test else "",
        unit=target.unit or "the target's own unit",
        crystals=crystals,
    )


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
