"""A run brought from elsewhere: the zip that `export.py` wrote, believed in nothing, kept only when all is right."""

import io
import json
import sqlite3
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from cgcnn.data.archive import ENTRY, MAX_FILES, MAX_UNPACKED, MAX_ZIP, PACKINGS, UNREADABLE
from cgcnn.data.checks import MAX_BYTES, shown
from cgcnn.data.folder import save_zip, stored_sets
from cgcnn.data.targets import TARGETS
from cgcnn.errors import CrystalError, RunError
from cgcnn.runs.export import CRYSTALS, FORMAT, SOURCE, SOURCE_FILE, zipped
from cgcnn.runs.imported_events import events_of, parsed
from cgcnn.runs.store import RunStore

if TYPE_CHECKING:
    from cgcnn.training.experiment import RunConfig

LIMITS = {  # bytes of each file that is read
    "config.json": 100_000,
    "run.json": 10_000,
    "events.jsonl": 100_000_000,
    "model.safetensors": 100_000_000,
    SOURCE_FILE: 100_000_000,
}
NEEDED = ("config.json", "events.jsonl")
MOST_LETTERS = 120  # of a name


@dataclass
class _Unpacked:
    """The files of the zip that are read, counted as they come out."""

    own: dict[str, bytes] = field(default_factory=dict)
    crystals: dict[str, bytes] = field(default_factory=dict)
    total: int = 0


def import_zip(store: RunStore, data: bytes, user: str = "") -> str:
    """Keep a run that was exported elsewhere; the answer is its new id.

    Paths in the zip are never used, weights are safetensors alone, and what is kept of them is what the network that
    config.json describes took. RunError of one sentence when anything is wrong; then nothing was written.
    """
    files = _unpacked(data)
    about = parsed(files.own.get("run.json", b"{}"), "run.json")
    if not isinstance(about, dict) or about.get("format", FORMAT) != FORMAT:
        raise RunError(
            f"The zip is of another format than {FORMAT}; export the run again with this version of the lab."
        )
    config = _config(files.own["config.json"])
    events = events_of(files.own["events.jsonl"], config)
    if not any(kind == "epoch" for kind, _, _ in events):
        raise RunError("events.jsonl holds no epoch; export a run that has finished one at least.")
    name = _name(about.get("name"))
    network = _network(files.own.get("model.safetensors"), config)  # read before the first file is written
    source = _source(files.own.get(SOURCE_FILE))
    known, kept, begun = set(stored_sets(store.folder)), "", ""
    try:
        if source is not None:
            begun, config = _kept_source(store, source, config, name, user)
        if config.dataset.source == "folder" and files.crystals:
            kept = _kept_set(store, files.crystals, about.get("set"))
            config = config.with_(**{"dataset.path": kept})
        weights = None if network is None else _saved(*network, config)
        return store.adopt(config, events, weights, name=name, user=user)
    except BaseException as reason:
        if kept and Path(kept) not in known:  # it came with this run alone
            Path(kept).unlink(missing_ok=True)
        if begun:
            store.delete(begun)
        if isinstance(reason, (OSError, sqlite3.Error)):
            raise RunError(
                f"The run could not be kept ({shown(str(reason), 80)}); make room, then try again."
            ) from reason
        raise


def _unpacked(data: bytes) -> _Unpacked:
    if len(data) > MAX_ZIP:
        raise RunError(f"The zip has {len(data):,} bytes, more than the limit of {MAX_ZIP:,}; leave its crystals out.")
    if (n := data.count(ENTRY)) > MAX_FILES:  # before the directory is read, which costs a moment for each entry
        raise RunError(f"The zip holds {n:,} files, more than the limit of {MAX_FILES:,}; split its set.")
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except UNREADABLE as reason:
        raise RunError("This is no zip file that can be opened; bring the zip that Export gave.") from reason
    members = [m for m in archive.infolist() if not m.is_dir() and "__MACOSX" not in m.filename]
    files = _Unpacked()
    for member in members:
        _take(archive, member, files)
    if missing := [name for name in NEEDED if name not in files.own]:
        raise RunError(f"The zip holds no {missing[0]}; bring the zip that Export gave, as it is.")
    return files


def _take(archive: zipfile.ZipFile, member: zipfile.ZipInfo, files: _Unpacked) -> None:
    """Read one member into the part of `files` that it belongs to, if any."""
    path = PurePosixPath(member.filename.replace("\\", "/"))
    kept, limit = (files.crystals, MAX_BYTES) if path.parent.name == CRYSTALS else (files.own, LIMITS.get(path.name, 0))
    if not limit or path.name.startswith("."):
        return
    if path.name in kept:
        raise RunError(f"The zip holds two files named {shown(path.name)}; bring the zip that Export gave, as it is.")
    if member.compress_type not in PACKINGS:  # the other packings are unpacked whole, whatever comes out of them
        raise RunError(f"{shown(path.name)} is packed in a way not known here; pack an ordinary zip (deflate).")
    try:
        with archive.open(member) as opened:
            content = opened.read(limit + 1)
    except UNREADABLE as reason:
        raise RunError(f"{shown(path.name)} is damaged or encrypted in the zip; export the run again.") from reason
    files.total += len(content)
    if len(content) > limit:
        raise RunError(f"{shown(path.name)} has more than the {limit:,} bytes allowed; this is no run of the lab.")
    if files.total > MAX_UNPACKED:
        raise RunError(f"The zip unpacks to more than {MAX_UNPACKED:,} bytes; leave its crystals out.")
    kept[path.name] = content


def _config(data: bytes, file: str = "config.json") -> "RunConfig":
    """The settings, checked one by one; a path in them is another machine's, or none of ours, and is forgotten."""
    from cgcnn.training.experiment import RunConfig

    settings = parsed(data, file)
    if not isinstance(settings, dict):
        raise RunError(f"{file} holds no settings; bring the zip that Export gave, as it is.")
    try:
        config = RunConfig.from_dict(settings).with_(**{"dataset.path": ""})
        return config.with_(**{"transfer.source": SOURCE}) if config.transfer.run else config
    except CrystalError as mistake:
        raise RunError(f"{file}: {mistake}") from mistake
    except (TypeError, AttributeError) as mistake:
        raise RunError(f"{file} holds no settings; bring the zip that Export gave, as it is.") from mistake


def _name(name: Any) -> str:
    words = " ".join("".join(c for c in name if c.isprintable()).split()) if isinstance(name, str) else ""
    return words[:MOST_LETTERS] or "imported run"


def _kept_set(store: RunStore, crystals: Mapping[str, bytes], name: Any) -> str:
    """Keep the crystals as every other set is kept; the answer is the path."""
    words = name[:MOST_LETTERS] if isinstance(name, str) and name else "imported"
    try:
        return str(save_zip(zipped(dict(sorted(crystals.items()))), f"{words}.zip", store.folder))
    except CrystalError as mistake:
        raise RunError(f"The crystals of the zip: {mistake}") from mistake


Network = tuple[dict[str, Any], dict[str, Any], int]  # weights, normalizer, epoch


def _network(data: bytes | None, config: "RunConfig", file: str = "model.safetensors") -> Network | None:
    """The weights as the network of `config` took them, and what else a Predictor needs, all finite."""
    if data is None:
        return None
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        about = _about(data, file)
        normalizer, epoch = _normalizer(about["normalizer"], config, file), about["epoch"]
        tensors, model = load(data), config.new_model()
        model.load_state_dict(tensors)
    except (SafetensorError, KeyError, TypeError, ValueError, AttributeError, RuntimeError) as reason:
        if isinstance(reason, RunError):
            raise
        raise RunError(f"{file} does not fit the network of its settings; export the run again.") from reason
    if type(epoch) is not int or not 1 <= epoch <= config.train.epochs:
        raise RunError(f"{file} is of epoch {shown(str(epoch))}, which its run has not; export it again.")
    weights = model.state_dict()
    if not all(bool(torch.isfinite(tensor).all()) for tensor in weights.values()):
        raise RunError(f"{file} holds a weight that is no finite number; bring a run whose network is whole.")
    return dict(weights), normalizer, epoch


def _source(data: bytes | None) -> tuple[Network, "RunConfig"] | None:
    """The network that the run starts from, with the settings in its own file."""
    if data is None:
        return None
    try:
        settings = _about(data, SOURCE_FILE)["config"]
    except (KeyError, TypeError, ValueError, AttributeError) as reason:
        if isinstance(reason, RunError):
            raise
        raise RunError(f"{SOURCE_FILE} holds no settings; bring the zip that Export gave, as it is.") from reason
    config = _config(json.dumps(settings).encode(), SOURCE_FILE)
    network = _network(data, config, SOURCE_FILE)
    assert network is not None
    return network, config


def _kept_source(
    store: RunStore, source: tuple[Network, "RunConfig"], config: "RunConfig", name: str, user: str
) -> tuple[str, "RunConfig"]:
    """Keep the network that a run starts from as a run without a curve, unless it is here; its id if it is new."""
    network, of_source = source
    data = _saved(*network, of_source)
    run_id = _known_network(store, data)
    begun = "" if run_id else store.adopt(of_source, [], data, name=f"start of {name}"[:MOST_LETTERS], user=user)
    return begun, config.with_(**{"transfer.source": run_id or begun})


def _known_network(store: RunStore, data: bytes) -> str:
    """The run that left this very network, "" for none."""
    for file in sorted((store.folder / "checkpoints").glob("*.safetensors")):
        if file.stat().st_size == len(data) and file.read_bytes() == data:
            return file.stem
    return ""


def _about(data: bytes, file: str) -> dict[str, Any]:
    return parsed(_header(data, file)["__metadata__"]["about"].encode(), file)


def _header(data: bytes, file: str) -> dict[str, Any]:
    """The first part of a safetensors file: eight bytes of length, then JSON."""
    length = int.from_bytes(data[:8], "little")
    return parsed(data[8 : 8 + min(length, 1_000_000)], file)


def _normalizer(told: Mapping[str, Any], config: "RunConfig", file: str) -> dict[str, Any]:
    """The scale of each target, checked against the targets of the settings."""
    from cgcnn.training.normalizer import Normalizer

    scale = Normalizer.from_dict({**told, "mean": _floats(told["mean"]), "std": _floats(told["std"])})
    classes = tuple(TARGETS[name].is_class for name in config.dataset.targets)
    if {len(scale.mean), len(scale.std), len(scale.per_atom)} != {len(classes)} or min(scale.std) <= 0:
        raise RunError(
            f"{file} scales {len(scale.mean)} targets by {shown(str(list(scale.std)))}; "
            f"{len(classes)} numbers above zero are needed."
        )
    if scale.is_class != classes:
        raise RunError(f"{file} takes a number for a class, or a class for a number; export the run again.")
    return scale.to_dict()


def _floats(numbers: Sequence[Any]) -> list[float]:
    return [float(number) for number in numbers]


def _saved(weights: dict[str, Any], normalizer: dict[str, Any], epoch: int, config: "RunConfig") -> bytes:
    from safetensors.torch import save

    about = {"config": config.to_dict(), "normalizer": normalizer, "epoch": epoch}
    return save(weights, {"about": json.dumps(about)})
