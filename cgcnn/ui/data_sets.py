"""The sets of crystals on the Data page: the built-in one, and those that users brought."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from cgcnn.data import builtin, folder, shelf
from cgcnn.data.crystal import Crystal, CrystalSet
from cgcnn.data.files import home
from cgcnn.data.targets import TARGETS
from cgcnn.errors import CrystalError
from cgcnn.ui.current import add_own
from cgcnn.ui.predict_progress import STEP
from cgcnn.ui.prose import prose, show_mistake


@dataclass(frozen=True)
class ShownSet:
    """A set as the page needs it, wherever it comes from."""

    name: str
    targets: Sequence[str]
    values: Callable[[str], Any]  # target -> all known values
    element_counts: Callable[[str], dict[str, int]]  # target -> element -> crystals that contain it
    rows: Callable[[str], list[dict[str, Any]]]  # target -> id, formula, atoms, value
    find: Callable[[str], Crystal]
    card: Callable[[], None]  # draws where the set comes from
    take: Callable[[Crystal], None]  # makes one of its crystals the one in view
    about: Callable[[str], None] = lambda target: None  # draws who labeled a class, how, and with what limits


def chosen_set() -> ShownSet:
    """The set that the reader chose; a broken one is a CrystalError."""
    if brought := st.session_state.pop("set_brought", None):
        st.session_state["set"] = brought
    stored = stored_sets("set")
    names = ["built-in", *stored]
    name = st.segmented_control("Set", names, default="built-in", required=True, key="set", bind="query-params")
    return _own(name, stored[name]) if name in stored else _builtin()


def stored_sets(key: str) -> dict[str, Path]:
    """The sets that users brought, by name; a link whose `key` names another one is told so."""
    stored = {path.stem: path for path in folder.stored_sets(home())}
    wanted = st.query_params.get(key, "built-in")
    if wanted not in ("built-in", *stored):
        show_mistake(f"There is no set {wanted!r} on this machine; the built-in one takes its place.")
    return stored


def chosen_target(shown: ShownSet) -> str:
    """The target that the figures show."""
    st.session_state.setdefault("shown_target", shown.targets[0])
    if st.session_state["shown_target"] not in shown.targets:
        st.session_state["shown_target"] = shown.targets[0]
    return st.selectbox(
        "Target", shown.targets, format_func=lambda t: TARGETS[t].axis, key="shown_target", persist_state="session"
    )


def crystal_table(shown: ShownSet, target: str) -> Crystal | None:
    """The crystals with their values; the one whose row is clicked, else the first."""
    known = TARGETS[target]
    rows = shown.rows(target)
    if known.is_class:
        rows = [row | {"value": known.word(row["value"])} for row in rows]
        columns = {"value": st.column_config.Column(known.axis)}
    else:
        columns = {"value": st.column_config.NumberColumn(known.axis, format="%.4g")}
    chosen = st.dataframe(
        rows,
        hide_index=True,
        height=420,
        column_config=columns,
        on_select="rerun",
        selection_mode="single-row",
        key=f"rows_{shown.name}_{target}",
    )
    picked = chosen["selection"]["rows"]
    if not rows:
        return None
    return shown.find(rows[picked[0] if picked and picked[0] < len(rows) else 0]["id"])


def bring_your_own() -> None:
    """Take a zip of crystals with id_prop.csv and keep it for the Train page."""
    with st.expander("Bring your own set", icon=":material/upload_file:"):
        st.markdown(prose("data", "Your own set"))
        file = st.file_uploader("A zip with id_prop.csv", type="zip", key="set_zip")
        if file is None:
            st.session_state["set_taken"] = ("", "")
        elif st.session_state.get("set_taken", ("", ""))[0] != file.file_id:
            st.session_state["set_taken"] = (file.file_id, _taken(file.getvalue(), file.name))
        if sentence := st.session_state["set_taken"][1]:
            show_mistake(sentence)
        elif "set_brought" in st.session_state:
            st.rerun()


def _taken(data: bytes, name: str) -> str:
    """Keep an uploaded zip, with a bar of progress in view, and choose it; the answer is what is wrong with it."""
    bar = st.progress(0.0, "Reading the crystals")

    def tell(file: str, done: int, total: int) -> None:
        if done % STEP == 0:
            bar.progress(done / total, f"Read {done:,} of {total:,} crystals")

    try:
        kept = folder.save_zip(data, name, home(), tell)
        st.session_state["set_brought"] = kept.stem
    except CrystalError as mistake:
        return str(mistake)
    finally:
        bar.empty()
    return ""


def _builtin() -> ShownSet:
    return ShownSet(
        name="built-in",
        targets=builtin_targets(),
        values=builtin.values,
        element_counts=builtin.element_counts,
        rows=builtin.rows,
        find=builtin.find,
        card=_builtin_card,
        about=_builtin_labels,
        take=lambda crystal: add_own(crystal.id),
    )


def _builtin_card() -> None:
    about = builtin.card()
    st.markdown(f"**{about.title}**: {about.n_elements} elements, license {about.licence}.")
    with st.expander("Sources, methods and limits", icon=":material/menu_book:"):
        rows = [
            {
                "Target": TARGETS[card.target].axis,
                "Crystals": card.n_crystals,
                "Up to 8 atoms": card.n_up_to_8,
                "From": card.source,
                "How": card.method,
                "License": card.licence,
            }
            for card in about.targets
        ]
        st.dataframe(rows, hide_index=True)
        st.markdown("**What to keep in mind**\n\n" + "\n".join(f"- {limit}" for limit in about.limits))
        st.markdown("**Cite**\n\n" + "\n".join(f"- {citation}" for citation in about.citations))


def _builtin_labels(target: str) -> None:
    if not TARGETS[target].is_class:
        return
    card = next(card for card in builtin.card().targets if card.target == target)
    st.markdown(f"**How it is labeled.** {card.method}")
    if card.limits:
        st.markdown("\n".join(f"- {limit}" for limit in card.limits))
    st.caption(f"{card.source}: {card.citation}")


@st.cache_resource(max_entries=4, show_spinner="Reading the crystals")
def own_set(path: str) -> CrystalSet:
    """The crystals of a stored set; its name carries a hash of its content, so it is read once."""
    return folder.read_kept(Path(path))


def builtin_targets() -> list[str]:
    """The targets of the built-in set, formation energy first."""
    return [card.target for card in builtin.card().targets]


def own_targets(path: str) -> list[str]:
    """The targets that a stored set knows of at least one crystal."""
    return [t for t in TARGETS if any(t in crystal.targets for crystal in own_set(path).crystals)]


def _own(name: str, path: Path) -> ShownSet:
    loaded = own_set(str(path))
    by_id = {crystal.id: crystal for crystal in loaded.crystals}

    def with_target(target: str) -> list[Crystal]:
        return [crystal for crystal in loaded.crystals if target in crystal.targets]

    def counts(target: str) -> dict[str, int]:
        found: dict[str, int] = {}
        for crystal in with_target(target):
            for symbol in crystal.chemical_system.split("-"):
                found[symbol] = found.get(symbol, 0) + 1
        return found

    def card() -> None:
        st.markdown(f"**{name}**: {len(loaded.crystals):,} crystals that you brought.")
        if loaded.dropped:
            with st.expander(f"Left out: {len(loaded.dropped):,}", icon=":material/warning:"):
                st.dataframe([{"entry": i, "why": why} for i, why in loaded.dropped.items()], hide_index=True)

    return ShownSet(
        name=name,
        targets=own_targets(str(path)),
        values=lambda t: [crystal.targets[t] for crystal in with_target(t)],
        element_counts=counts,
        rows=lambda t: [
            {"id": c.id, "formula": c.formula, "atoms": len(c.structure), "value": c.targets[t]} for c in with_target(t)
        ],
        find=lambda i: by_id[i],
        card=card,
        take=lambda c: add_own(shelf.put(c.structure, c.id, home() / "crystals")),
    )
