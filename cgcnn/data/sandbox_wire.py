"""What goes between the lab and its reader of foreign files: frames of JSON, since loading a pickle can run code."""

import io
import json
import struct
from collections.abc import Mapping
from typing import Any, BinaryIO, TypeAlias

import numpy as np
from pymatgen.core import Element, Lattice, Structure

from cgcnn.data.crystal import Crystal, CrystalSet

LENGTHS = struct.Struct("!QQ")  # bytes of JSON, bytes of data
Stream: TypeAlias = BinaryIO | io.BufferedRWPair
Frame = tuple[dict[str, Any], bytes]


def send(stream: Stream, message: Mapping[str, Any], data: bytes = b"") -> None:
    """Write one frame."""
    text = json.dumps(message, allow_nan=False).encode()
    stream.write(LENGTHS.pack(len(text), len(data)) + text)
    stream.write(data)
    stream.flush()


def receive(stream: Stream) -> Frame | None:
    """The next frame; None at the end, and for one that was cut off because its sender was ended."""
    head = stream.read(LENGTHS.size)
    if len(head) < LENGTHS.size:
        return None
    n_text, n_data = LENGTHS.unpack(head)
    text, data = stream.read(n_text), stream.read(n_data)
    if len(text) < n_text or len(data) < n_data:
        return None
    return json.loads(text), data


def pack_structure(structure: Structure) -> dict[str, Any]:
    """An ordered structure as JSON; the shortest text of a float names that very float, so nothing is lost."""
    return {
        "lattice": structure.lattice.matrix.tolist(),
        "numbers": [site.specie.Z for site in structure],
        "coords": structure.frac_coords.tolist(),
    }


def unpack_structure(packed: Mapping[str, Any]) -> Structure:
    """The structure that was packed, bit for bit."""
    species = [Element.from_Z(z) for z in packed["numbers"]]
    return Structure(Lattice(np.array(packed["lattice"])), species, np.array(packed["coords"]))


def pack_set(loaded: CrystalSet) -> dict[str, Any]:
    """A set of crystals as JSON."""
    crystals = [[c.id, pack_structure(c.structure), dict(c.targets)] for c in loaded.crystals]
    return {"crystals": crystals, "dropped": dict(loaded.dropped)}


def unpack_set(packed: Mapping[str, Any]) -> CrystalSet:
    """The set that was packed."""
    crystals = [Crystal(id, unpack_structure(structure), targets) for id, structure, targets in packed["crystals"]]
    return CrystalSet(crystals, packed["dropped"])
