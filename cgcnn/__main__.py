"""One run in a terminal: `python -m cgcnn [settings.json] [train.epochs=10 ...]` prints each event of it."""

import json
import sys
from pathlib import Path
from typing import Any

from cgcnn.errors import ConfigError, CrystalError
from cgcnn.training.experiment import BatchMetrics, RunConfig, TestMetrics, run_experiment


def main(arguments: list[str]) -> int:
    """Read the settings, run, print; the answer is the exit status."""
    try:
        for event in run_experiment(config_of(arguments)):
            if isinstance(event, TestMetrics):
                print(f"test MAE {event.mae:.6f} (always the mean {event.mean_mae:.6f}, median {event.median_mae:.6f})")
            elif not isinstance(event, BatchMetrics):
                print(event, flush=True)
    except CrystalError as mistake:
        print(mistake, file=sys.stderr)
        return 1
    return 0


def config_of(arguments: list[str]) -> RunConfig:
    """The defaults, or a file of settings, with `name=value` changes (values as in JSON, or plain words)."""
    config = RunConfig()
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if equals:
            config = config.with_(**{name: _value(value)})
        else:
            config = RunConfig.from_dict(_settings(Path(argument)))
    return config


def _settings(file: Path) -> dict[str, Any]:
    try:
        return json.loads(file.read_text())
    except (OSError, ValueError) as reason:
        raise ConfigError(f"{file} holds no settings ({reason}); give the config.json of a run.") from reason


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
