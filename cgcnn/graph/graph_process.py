"""A process beside this one that builds graphs: `python -m cgcnn.graph.graph_process`, spoken to through its pipes.

A module of its own and no pool of `multiprocessing`, whose children would run the main script again. It ends when its
input does, so it does not outlive the process that started it; and at once when it loaded other code than its starter,
which has changed a rule, or imported it before its file was edited.
"""

import contextlib
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch

from cgcnn.graph.build import finished
from cgcnn.graph.config import GraphConfig
from cgcnn.graph.crystal_graph import CrystalGraph
from cgcnn.graph.graph_files import Shard, code_version, from_bytes, to_bytes
from cgcnn.graph.sites import Sites

ROOT = Path(__file__).parents[2]  # where the library lies, for a starter that found it by its own path


class GraphProcess:
    """The starter's end: arrays of crystals in, their graphs out. Any exception means that the process is gone."""

    def __init__(self, config: GraphConfig, light: bool) -> None:
        path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "cgcnn.graph.graph_process"],  # -P: no library of the current folder
            env=os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # its starter builds again what it could not, and meets the error itself
            start_new_session=True,  # Ctrl+C is for the starter, which then ends this one
        )
        self._settings: tuple[str, GraphConfig, bool] | None = (code_version(), config, light)

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def ask(self, sites: Sites) -> tuple[CrystalGraph, np.ndarray]:
        """What `finished` gives, worked out over there."""
        assert self._process.stdin is not None and self._process.stdout is not None
        if self._settings:  # with the first question, since the pipe may fill before the process listens
            pickle.dump(self._settings, self._process.stdin)
            self._settings = None
        pickle.dump(sites, self._process.stdin, protocol=5)
        self._process.stdin.flush()
        data, isolated = pickle.load(self._process.stdout)
        return from_bytes(data).graph, isolated

    def kill(self) -> None:
        """Make it end, whatever it does; who waits in `ask` then gets an exception."""
        self._process.kill()

    def end(self) -> None:
        """Kill it and clear up; for the thread that asks."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):  # what was not yet sent
                assert pipe is not None
                pipe.close()


def main() -> None:
    """The process's own end: answer until there is no more question."""
    torch.set_num_threads(1)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints, prints elsewhere
    with contextlib.suppress(EOFError, BrokenPipeError):
        version, config, light = pickle.load(sys.stdin.buffer)
        same_code = version == code_version()
        while same_code:
            graph, isolated = finished(pickle.load(sys.stdin.buffer), config, light)
            pickle.dump((to_bytes(Shard(graph, {})), isolated), answers)
            answers.flush()
    os._exit(0)  # without a last try to write into a pipe that nobody reads


if __name__ == "__main__":
    main()
