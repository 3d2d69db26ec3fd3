"""A run as a Python script that trains it again: `script_of(config.to_dict())`."""

from collections.abc import Mapping
from pprint import pformat
from typing import Any

from cgcnn.runs.engines import ROOT

SOURCE_FILE = "source.safetensors"  # its network, in the zip and beside the script
PUBLISHED_MARK = "published: "  # how the source of a run begins that is no run

SCRIPT = '''"""Trains this run again, with the same numbers: `python repeat.py`, with the lab's Python."""

{imports}import os
import sys
from pathlib import Path
{safe}
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
{source}

def said(name, error, digits):
    """The error of one target, in its unit; of a class the share of crystals put into the wrong one."""
    target = TARGETS[name]
    return f"{{'share wrong' if target.is_class else 'MAE'}} {{error:.{{digits}}f}} {{target.unit}}".rstrip()


experiment = Experiment(config{argument})
for event in experiment.events():
    if isinstance(event, EpochMetrics):
        print(f"epoch {{event.epoch}}: validation {{said(config.dataset.target, event.val_mae, 4)}}", flush=True)
        if event.epoch == LAST_EPOCH:
            break
result = experiment.result()
for name, other in result.others.items():
    print(f"{{TARGETS[name].label}}: test {{said(name, other.mae, 7)}}")
print(f"test {{said(config.dataset.target, result.mae, 7)}}")
'''

SOURCE_SCRIPT = '''

def source(run_id):
    """The network that this run starts from: its file lies beside this script."""
    with safe_open(here / "{file}", "pt") as saved:
        return {{name: saved.get_tensor(name) for name in saved.keys()}}, json.loads(saved.metadata()["about"])
'''


def script_of(settings: Mapping[str, Any], last_epoch: int | None = None) -> str:
    """A Python script that trains a run again and prints its test error; `settings` are RunConfig.to_dict().

    For a run that starts from another one, it expects the network of that beside it, as SOURCE_FILE.
    """
    last = last_epoch if last_epoch else settings["train"]["epochs"]
    words = pformat(dict(settings), width=100, sort_dicts=False)
    needs = bool(source_run(settings))
    return SCRIPT.format(
        settings=words,
        last=last,
        lab=str(ROOT),
        imports="import json\n" if needs else "",
        source=SOURCE_SCRIPT.format(file=SOURCE_FILE) if needs else "",
        argument=", checkpoint_of=source" if needs else "",
        safe="\nfrom safetensors import safe_open\n" if needs else "",
    )


def source_run(settings: Mapping[str, Any]) -> str:
    """The id of the run that a run starts from; "" for none, or a published network."""
    source = settings.get("transfer", {}).get("source", "")
    return "" if source.startswith(PUBLISHED_MARK) else source
