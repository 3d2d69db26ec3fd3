"""Which crystals of a source a run can use, and the sentence that names each one it cannot."""

from collections.abc import Container, Sequence

from cgcnn.data.targets import TARGETS


def why_left_out(known: Container[str], n_atoms: int, targets: Sequence[str], max_sites: int) -> str | None:
    """Why a crystal with these known values and this many atoms is of no use; None if it has one of the targets."""
    if not any(target in known for target in targets):
        return f"It has no value of {' or '.join(f'“{TARGETS[target].label}”' for target in targets)}."
    if max_sites and n_atoms > max_sites:
        return f"It has {n_atoms} atoms in the cell, more than the limit of {max_sites}."
    return None
