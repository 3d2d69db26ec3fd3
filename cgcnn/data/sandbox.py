"""What users bring is read in a process apart, which may use little time and memory and can write nothing.

`read_untrusted` and `read_untrusted_set` answer like `read_structure` and `folder.read_zip`, with the same sentences.
"""

import logging
import signal
from collections.abc import Callable
from typing import Any

from pymatgen.core import Structure

from cgcnn import errors
from cgcnn.data.archive import ENTRY
from cgcnn.data.checks import MAX_ATOMS, short_name
from cgcnn.data.crystal import CrystalSet
from cgcnn.data.sandbox_client import Answer, Limits, Sandbox
from cgcnn.data.sandbox_wire import unpack_set, unpack_structure
from cgcnn.errors import CrystalError, DatasetError

CRYSTAL = Limits(cpu=5, wall=20.0, memory=1024)  # 2,000 atoms of any format take half a second
CPU_OF_A_SET = (10, 120)  # s; at least, at most
CPU_PER_FILE = 0.05  # s; a CIF of the usual size takes a tenth of that
TIME = {getattr(signal, name, 0) for name in ("SIGXCPU", "SIGALRM", "SIGKILL")} - {0}

SANDBOX = Sandbox()


def warm() -> None:
    """Start the reader if there is none, without waiting for it: the first file then need not wait for pymatgen."""
    SANDBOX.warm()


def read_untrusted(data: bytes, filename: str) -> Structure:
    """What `read_structure` gives, or its CrystalError; also for a file that would take too much time or memory."""
    answer = SANDBOX.ask("crystal", filename, data, CRYSTAL)
    return unpack_structure(_value(answer, short_name(filename) or "The pasted text", CRYSTAL))


def read_untrusted_set(data: bytes, name: str, tell: Callable[[str, int, int], None] | None = None) -> CrystalSet:
    """The crystals of a zip with id_prop.csv; `tell` hears of each file, how many came before it and how many come."""
    limits = set_limits(data)
    answer = SANDBOX.ask("set", name, data, limits, tell)
    return unpack_set(_value(answer, short_name(name) or "The zip", limits))


def set_limits(data: bytes) -> Limits:
    """The limits for a zip of crystals: they grow with the number of its files."""
    least, most = CPU_OF_A_SET
    cpu = min(least + round(CPU_PER_FILE * data.count(ENTRY)), most)
    return Limits(cpu, 20.0 + 2 * cpu, CRYSTAL.memory)


def _value(answer: Answer, name: str, limits: Limits) -> dict[str, Any]:
    """What was read, or the sentence why it was not."""
    if "value" in answer.said:
        return answer.said["value"]
    if "mistake" in answer.said:
        raise getattr(errors, answer.said["type"], CrystalError)(answer.said["mistake"])
    if "fault" in answer.said:
        logging.getLogger(__name__).error("While %s was read:\n%s", name, answer.said["fault"])
    raise (DatasetError if answer.at else CrystalError)(f"{name}: {_refusal(answer, limits)}.")


def _refusal(answer: Answer, limits: Limits) -> str:
    if answer.at:
        where, what = f" (it stopped at {short_name(answer.at)})", "remove that file, or split the set"
    else:
        where, what = "", f"bring a smaller cell (up to {MAX_ATOMS:,} atoms)"
    if answer.said.get("out of") == "memory":
        return f"reading it takes more than {limits.memory:,} MiB of memory{where}; {what}"
    if answer.usage.signal in TIME:
        return f"reading it took more than {limits.cpu} s{where}; {what}"
    return f"the reader failed on it{where}; check it, or save it again with another program"
