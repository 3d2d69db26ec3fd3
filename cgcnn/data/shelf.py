"""The user's own crystals, kept on disk under a name made from their content."""

import hashlib
import json
import re
from pathlib import Path

from pymatgen.core import Structure

from cgcnn.data.crystal import Crystal, formula_of
from cgcnn.data.files import write_whole
from cgcnn.data.sandbox import read_untrusted
from cgcnn.errors import CrystalError

UNSAFE = re.compile(r"[^\w .()+-]")  # a file name is shown as text, and must not become markup
SHELF_ID = re.compile(r"my-[0-9a-f]{10}")


def keep(data: bytes, filename: str, folder: Path) -> str:
    """Read an uploaded or pasted crystal and keep it; the answer is its id, the same for the same content."""
    return put(read_untrusted(data, filename), filename, folder)


def put(structure: Structure, filename: str, folder: Path) -> str:
    """Keep a structure under the name that the user knows it by; the answer is its id."""
    name = UNSAFE.sub("_", filename)[:60] or formula_of(structure)
    kept = {"name": name, "structure": structure.as_dict()}
    text = json.dumps(kept, sort_keys=True)
    crystal_id = f"my-{hashlib.sha256(text.encode()).hexdigest()[:10]}"
    write_whole(folder / f"{crystal_id}.json", text.encode())
    return crystal_id


def kept(crystal_id: str, folder: Path) -> tuple[str, Crystal]:
    """The file name that the user gave, and the crystal."""
    file = folder / f"{crystal_id}.json"
    if not SHELF_ID.fullmatch(crystal_id) or not file.exists():
        raise CrystalError(f"There is no crystal {crystal_id!r} on this machine; upload it again.")
    try:
        saved = json.loads(file.read_text())
        return saved["name"], Crystal(crystal_id, Structure.from_dict(saved["structure"]))
    except (OSError, ValueError, KeyError, TypeError) as reason:
        raise CrystalError(f"The file of crystal {crystal_id!r} is damaged; upload the crystal again.") from reason
