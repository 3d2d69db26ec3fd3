"""A run handed on to TensorBoard or MLflow, after the fact: logging live would cost each epoch 22 ms and a server."""

import io
import json
import os
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cgcnn.data.targets import TARGETS
from cgcnn.errors import RunError
from cgcnn.runs.records import Run
from cgcnn.runs.store import RunStore

EXPERIMENT = "Crystal Graph Lab"
CURVES = {  # what an epoch says -> its name there
    "train_loss": "loss/training",
    "val_loss": "loss/validation",
    "learning_rate": "learning rate",
    "crystals_per_second": "crystals per second",
}
ERRORS = {"train_mae": "training", "val_mae": "validation"}  # of the main target; in a list named so + "s", of each
PATIENCE = {  # a server that does not answer must not hold up the page for minutes
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}
MOST_METRICS = 1000  # in one request; MLflow refuses more
MOST_PARAMS = 100
MOST_LETTERS = 500  # of one parameter


def write_tensorboard(store: RunStore, run_id: str, folder: Path) -> None:
    """Write event files for TensorBoard into `folder`."""
    try:
        from tensorboardX import SummaryWriter
    except ImportError as reason:
        raise RunError("tensorboardX is not installed; run `pip install tensorboardX`.") from reason
    run = store.run(run_id)
    writer = SummaryWriter(str(folder))
    for name, value, epoch, time in _points(store, run_id):
        writer.add_scalar(name, value, epoch, walltime=time)
    settings = json.dumps(_portable(run), indent=4)
    writer.add_text("settings", "\n".join(f"    {line}" for line in settings.splitlines()), 0)
    writer.close()


def tensorboard_zip(store: RunStore, run_id: str) -> bytes:
    """The same files as a zip that holds one folder, named by the run; unpack it and point TensorBoard at it."""
    out = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        write_tensorboard(store, run_id, Path(folder))
        for file in sorted(Path(folder).rglob("*")):
            if file.is_file():
                archive.write(file, f"{run_id}/{file.relative_to(folder)}")
    return out.getvalue()


def to_mlflow(store: RunStore, run_id: str, tracking_uri: str) -> str:
    """Log a run to an MLflow tracking server or store; the answer is the id of the run there."""
    for name, value in PATIENCE.items():
        os.environ.setdefault(name, value)
    try:
        from mlflow import MlflowClient
        from mlflow.entities import Metric, Param
        from mlflow.exceptions import MlflowException
    except ImportError as reason:
        raise RunError("MLflow is not installed on this server; run `pip install mlflow-skinny`.") from reason
    run = store.run(run_id)
    metrics = [
        Metric(name.replace(" ", "_"), value, int(time * 1000), epoch)
        for name, value, epoch, time in _points(store, run_id)
    ]
    params = [Param(name, str(value)[:MOST_LETTERS]) for name, value in _flat(_portable(run))][:MOST_PARAMS]
    try:
        client = MlflowClient(tracking_uri)
        known = client.get_experiment_by_name(EXPERIMENT)
        experiment = known.experiment_id if known else client.create_experiment(EXPERIMENT)
        there = client.create_run(
            experiment, int((run.started or run.created) * 1000), {"crystal_graph_lab.run": run_id}, run.name or run_id
        ).info.run_id
        client.log_batch(there, params=params)
        for start in range(0, len(metrics), MOST_METRICS):
            client.log_batch(there, metrics=metrics[start : start + MOST_METRICS])
        status = "FINISHED" if run.state == "finished" else "KILLED" if run.state == "stopped" else "FAILED"
        client.set_terminated(there, status, int((run.ended or run.created) * 1000))
    except (MlflowException, OSError, ModuleNotFoundError) as reason:
        first = str(reason).splitlines()[0][:200] if str(reason) else type(reason).__name__
        raise RunError(f"MLflow at {tracking_uri} did not take run {run_id} ({first}); check the address.") from reason
    return str(there)


def _points(store: RunStore, run_id: str) -> Iterator[tuple[str, float, int, float]]:
    """Every number of a run as (name, value, epoch, time in s); the test error stands at the best epoch."""
    dataset = store.run(run_id).settings["dataset"]
    targets = [dataset["target"], *dataset.get("also", ())]
    for event in sorted(store.events(run_id, kinds=("epoch", "test")), key=lambda said: (said.kind, said.step)):
        found = _tested(event.data, targets) if event.kind == "test" else _of_epoch(event.data, targets)
        epoch = int(event.data["best_epoch" if event.kind == "test" else "epoch"])
        for name, value in found:
            if value is not None:
                yield name, float(value), epoch, event.time


def _of_epoch(data: Mapping[str, Any], targets: Sequence[str]) -> Iterator[tuple[str, float | None]]:
    yield from ((name, data.get(field)) for field, name in CURVES.items())
    for field, side in ERRORS.items():
        yield _error(targets, 0, side), data.get(field)
        for n, value in enumerate(data.get(f"{field}s") or ()):
            if n:
                yield _error(targets, n, side), value


def _tested(data: Mapping[str, Any], targets: Sequence[str]) -> Iterator[tuple[str, float | None]]:
    yield _error(targets, 0, "test"), data["mae"]
    for n, name in enumerate(targets):
        if name in data.get("others", {}):
            yield _error(targets, n, "test"), data["others"][name]["mae"]


def _error(targets: Sequence[str], n: int, side: str) -> str:
    """The name of an error there: `MAE/validation`, of further targets with their label."""
    target = TARGETS[targets[n]]
    return f"{target.error}/{side}{f' {_plain(target.label)}' if n else ''}"


def _plain(label: str) -> str:
    """A label with those letters alone that MLflow takes in a name."""
    return "".join(letter for letter in label if letter.isalnum() or letter in " _-.")


def _portable(run: Run) -> dict[str, Any]:
    """The settings, the target's unit beside them, without a path of this machine."""
    settings = json.loads(json.dumps(run.settings))
    settings["dataset"]["path"] = Path(settings["dataset"].get("path", "")).name
    return settings | {"unit": TARGETS[settings["dataset"]["target"]].unit}


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value
