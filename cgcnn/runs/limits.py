"""What one machine grants a class: slots, queues, memory. Each limit is an environment variable."""

import os
from dataclasses import dataclass

from cgcnn.config import Config, default_of, option
from cgcnn.errors import ConfigError
from cgcnn.runs.engines import ENGINES

PREFIX = "CRYSTAL_GRAPH_LAB_"


@dataclass(frozen=True)
class Limits(Config):
    """The limits of a run store and its dispatcher; `slots` = 0 means one for each core, at most four."""

    slots: int = option(0, "Slots", "Runs that train at once; 0: one a core, at most 4.", minimum=0, maximum=256)
    spares: int = option(1, "Warm spares", "Idle workers beyond the slots, ready to take over.", minimum=0, maximum=16)
    running_per_user: int = option(256, "Running per user", "Runs of one user at once.", minimum=1, maximum=256)
    queued_per_user: int = option(
        128, "Waiting per user", "Runs of one user that may wait at once.", minimum=1, maximum=10_000
    )
    queued: int = option(500, "Waiting in all", "Runs that may wait at once.", minimum=1, maximum=100_000)
    sweep_size: int = option(96, "Runs of an experiment", "Runs that one experiment may have.", minimum=1, maximum=1000)
    memory_mib: int = option(
        4096, "Memory of a run", "A run that takes more is ended.", unit="MiB", minimum=1024, maximum=1_000_000
    )
    min_free_mib: int = option(
        32, "Free disk", "With less room on the disk no run starts.", unit="MiB", minimum=1, maximum=1_000_000
    )
    attempts: int = option(3, "Attempts", "Workers that a run may lose before it waits for you.", minimum=1, maximum=20)
    engine: str = option(
        "local", "Engine", "Where workers run: processes of this machine, or a Ray cluster.", choices=ENGINES
    )

    @classmethod
    def from_environment(cls) -> "Limits":
        """The limits as CRYSTAL_GRAPH_LAB_SLOTS, CRYSTAL_GRAPH_LAB_MEMORY_MIB, … set them."""
        values: dict[str, int | str] = {}
        for name in cls.options():
            text = os.environ.get(PREFIX + name.upper(), "").strip()
            if not text:
                continue
            kind = type(default_of(cls, name))
            try:
                values[name] = kind(text)
            except ValueError:
                raise ConfigError(f"{PREFIX}{name.upper()} is {text!r}; it must be a whole number.") from None
        try:
            return cls(**values)  # type: ignore[arg-type]
        except ConfigError as mistake:
            names = ", ".join(PREFIX + name.upper() for name in values)
            raise ConfigError(f"A limit of this machine is wrong (it is set by one of {names}): {mistake}") from None

    def too_large(self, used_mib: int) -> str:
        """Why a process that uses so much memory is ended, as a sentence; "" when it may go on."""
        if used_mib <= self.memory_mib:
            return ""
        return (
            f"The run took {used_mib:,} MiB of memory and the limit of a run is {self.memory_mib:,} MiB; "
            "take a smaller batch, fewer neighbors, or a smaller network."
        )

    @property
    def n_slots(self) -> int:
        """How many runs train at once on this machine."""
        return self.slots or min(os.cpu_count() or 1, 4)
