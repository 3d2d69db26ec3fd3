"""Good files, and the ways in which they break on their way to the lab; every draw is seeded."""

import json
import random
import zipfile
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path

from cgcnn.data.samples import FOLDER, load_sample
from cgcnn.data.structures import write_structure
from malformed import GOOD

SAMPLES = ("NaCl", "SrTiO3", "SiO2-quartz", "graphite")
NUMBERS = [
    "nan",
    "-nan",
    "inf",
    "-inf",
    "1e308",
    "-1",
    "0",
    "1e-308",
    "9" * 25,
    "9" * 5_000,
    "1d5",
    "0x10",
    "1_0",
    "½",
    "٣",
]
PIECES = [
    "\x00",
    "\n;\n",
    "loop_",
    "data_",
    "'",
    '"',
    "#",
    "{",
    "[" * 3_000,
    "]}",
    ",",
    "é",
    "\u2028",
    "\U0001f4a5",
    "\x1b[2J",
    "x" * 60_000,
    " " * 60_000,
    "\r",
    "\t",
    "Xx",
    "_cell_length_a",
    "x,y,z",
    "1/0",
]
Damage = Callable[[bytes, random.Random], bytes]


# How files break


def flipped(data: bytes, rng: random.Random) -> bytes:
    """A few bytes are others."""
    broken = bytearray(data)
    for _ in range(rng.choice([1, 2, 8, 64])):
        broken[rng.randrange(len(broken))] = rng.randrange(256)
    return bytes(broken)


def truncated(data: bytes, rng: random.Random) -> bytes:
    """The end, the beginning or the middle is missing."""
    start, end = sorted(rng.randrange(len(data) + 1) for _ in range(2))
    return rng.choice([data[:start], data[start:], data[:start] + data[end:], data[start:end]])


def repeated(data: bytes, rng: random.Random) -> bytes:
    """Some lines stand there twice, or very often."""
    lines = data.split(b"\n")
    start = rng.randrange(len(lines))
    some = lines[start : start + rng.choice([1, 1, 3, 10])]
    return b"\n".join(lines[:start] + some * rng.choice([2, 2, 5, 3_000]) + lines[start:])


def shuffled(data: bytes, rng: random.Random) -> bytes:
    """Two lines change places."""
    lines = data.split(b"\n")
    i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[i], lines[j] = lines[j], lines[i]
    return b"\n".join(lines)


def renumbered(data: bytes, rng: random.Random) -> bytes:
    """A number is another number, or none."""
    words = data.split(b" ")
    places = [i for i, word in enumerate(words) if word[:1] in b"0123456789-." and word]
    for i in rng.sample(places, min(len(places), rng.choice([1, 1, 3]))):
        other = words[rng.choice(places)] if rng.random() < 0.3 else rng.choice(NUMBERS).encode()
        words[i] = other + words[i][len(words[i].split(b"\n")[0]) :]
    return b" ".join(words)


def sprinkled(data: bytes, rng: random.Random) -> bytes:
    """Foreign pieces of text stand somewhere."""
    for _ in range(rng.choice([1, 1, 3])):
        at = rng.randrange(len(data) + 1)
        data = data[:at] + rng.choice(PIECES).encode() + data[at + rng.choice([0, 0, 5]) :]
    return data


def spliced(data: bytes, rng: random.Random) -> bytes:
    """It goes on as another file."""
    other = rng.choice(list(GOOD.values())).encode()
    return data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other)) :]


def recoded(data: bytes, rng: random.Random) -> bytes:
    """Another encoding of text, with or without its mark."""
    text = data.decode("utf-8", "replace")
    return text.encode(rng.choice(["utf-16", "utf-16-le", "utf-32", "utf-8-sig", "utf-7"]))


DAMAGES: list[Damage] = [flipped, truncated, repeated, shuffled, renumbered, sprinkled, spliced, recoded]


def damaged(data: bytes, rng: random.Random) -> bytes:
    """One to three of the damages, one after another."""
    for damage in rng.choices(DAMAGES, k=rng.choice([1, 1, 2, 3])):
        data = damage(data, rng) or b"\n"
    return data[:6_000_000]


# What breaks


@cache
def good() -> tuple[tuple[str, str], ...]:
    """Good files of every format, by name: small ones, and those of some samples."""
    found = list(GOOD.items())
    for name in SAMPLES:
        structure = load_sample(name).structure
        found.append((f"{name}.cif", (FOLDER / f"{name}.cif").read_text()))
        found.append((f"{name}.cif", write_structure(structure, "cif")))
        found.append(("POSCAR", write_structure(structure, "poscar")))
        found.append((f"{name}.json", json.dumps(structure.as_dict())))
    return tuple(found)


def odd_name(name: str, rng: random.Random) -> str:
    """Mostly the name as it is; else none, or one that should have no effect."""
    odd = ["", f"../../{name}", f"/etc/{name}", f"C:\\{name}", f"{name}\n\x00", "x" * 3_000 + name, "x.cif", "x.json"]
    return name if rng.random() < 0.7 else rng.choice(odd)


def set_of(rng: random.Random) -> bytes:
    """A zip with id_prop.csv; its table, its files, their names, or the bytes of the whole are damaged."""
    files = {"id_prop.csv": b"a,1\nb,-2.5\nc,3e-1\n"}
    for id in "abc":
        name, text = rng.choice(good())
        data = text.encode()
        files[odd_name(f"{id}{Path(name).suffix or '.vasp'}", rng)] = damaged(data, rng) if rng.random() < 0.5 else data
    if rng.random() < 0.5:
        files["id_prop.csv"] = damaged(files["id_prop.csv"], rng)
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", rng.choice([zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])) as out:
        for name, data in files.items():
            out.writestr(name or "x", data)
    data = packed.getvalue()
    return rng.choice([lambda d, r: d, flipped, truncated, headers_damaged])(data, rng)


def headers_damaged(data: bytes, rng: random.Random) -> bytes:
    """Bytes of the directory of a zip: sizes, offsets, flags, kinds of packing, names."""
    broken = bytearray(data)
    at = broken.rfind(b"PK\x01\x02") if rng.random() < 0.7 else broken.rfind(b"PK\x05\x06")
    for _ in range(rng.choice([1, 2, 6])):
        broken[at + 4 + rng.randrange(min(42, len(broken) - at - 4))] = rng.choice([0, 1, 8, 12, 14, 127, 255])
    return bytes(broken)


def damaged_network(data: bytes, rng: random.Random) -> bytes:
    """Damage to the header, which says where each tensor lies and what the network is, or to the whole."""
    end = 8 + int.from_bytes(data[:8], "little")
    if rng.random() < 0.2:
        return rng.choice([flipped, truncated])(data, rng)
    header = rng.choice([flipped, truncated, renumbered, sprinkled])(data[8:end], rng)
    size = rng.choice([len(header), len(header), len(header), end - 8, 2**60, 0])
    return size.to_bytes(8, "little") + header + data[end:]
