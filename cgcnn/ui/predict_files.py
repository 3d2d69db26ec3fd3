"""The files that a reader brings to the Predict page: what each one gave, for as long as it is wanted."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from cgcnn.data import shelf
from cgcnn.data.archive import zip_files
from cgcnn.data.files import home
from cgcnn.errors import CrystalError
from cgcnn.ui.current import find
from cgcnn.ui.link import linked, set_link
from cgcnn.ui.predict_progress import STEP, shown_progress
from cgcnn.ui.prose import explained, plain, show_mistake

MOST_SHOWN = 4  # sentences shown one by one; more stand in a list
MOST_LINKED = 40  # crystals in the URL: 560 characters, which every browser and mail program takes
LINK = "brought"


@dataclass
class Brought:
    """One file of the uploader: what of it waits to be read, the crystals in it, and what could not be read."""

    name: str
    waiting: list[tuple[str, Callable[[], bytes]]] = field(default_factory=list)  # name, and what reads it
    keys: list[str] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)


@dataclass
class Uploads:
    """What a session brought to this page; it outlasts a change of page, and in the URL a refresh."""

    files: dict[str, Brought] = field(default_factory=dict)  # by the uploader's id, in the order in which they came
    in_uploader: set[str] = field(default_factory=set)  # ids; the uploader is empty after a change of page
    cleared: int = 0  # how often; each time a new uploader takes the place of the old one

    @property
    def keys(self) -> list[str]:
        """The crystals that could be read, each once."""
        return list(dict.fromkeys(key for file in self.files.values() for key in file.keys))

    @property
    def mistakes(self) -> list[str]:
        """A sentence for each file that could not be read."""
        return [sentence for file in self.files.values() for sentence in file.mistakes]

    @property
    def repeated(self) -> list[tuple[str, str]]:
        """The name of each file that holds a crystal of an earlier one, and that crystal's key."""
        seen: set[str] = set()
        twice = []
        for file in self.files.values():
            twice += [(file.name, key) for key in file.keys if key in seen]
            seen |= set(file.keys)
        return twice


def uploads() -> Uploads:
    """What this session brought; at first what the URL names, so that a refresh of the browser loses no crystal."""
    if "predict_uploads" not in st.session_state:
        keys = [key for key in linked(LINK, "").split(",") if shelf.SHELF_ID.fullmatch(key)][:MOST_LINKED]
        files = {"link": Brought("the link", keys=keys)} if keys else {}
        st.session_state["predict_uploads"] = Uploads(files)
    return st.session_state["predict_uploads"]


def take_files(on_new: Callable[[], None], on_none: Callable[[], None]) -> Uploads:
    """The uploader, and all that it was given, read; called are `on_new` for new files, `on_none` when all are gone."""
    brought = uploads()
    key = uploader_key(brought)
    files = st.file_uploader(
        "Crystal files, or zips of them",
        accept_multiple_files=True,
        key=key,
        on_change=_take,
        args=(key, on_new, on_none),
        max_upload_size=20,
    )
    brought.in_uploader = {file.file_id for file in files}
    explained("predict", "Which files?")
    _read_waiting(brought)
    _show_notes(brought)
    _write_link(",".join(brought.keys[:MOST_LINKED]))
    return brought


def clear_button(brought: Uploads, on_none: Callable[[], None]) -> None:
    """Forget all files, and empty the uploader; shown when there is something to forget."""
    if brought.files:
        st.button("Clear the uploads", icon=":material/delete:", on_click=_clear, args=(on_none,))


def _write_link(keys: str) -> None:
    """At once, since a refresh may come before another run of the whole page."""
    if keys:
        set_link(LINK, keys)
    else:
        st.session_state["links"].pop(LINK, None)
    if keys and st.query_params.get(LINK) != keys:
        st.query_params[LINK] = keys
    elif not keys and LINK in st.query_params:
        del st.query_params[LINK]


def uploader_key(brought: Uploads) -> str:
    """The key of the uploader; a new key makes it an empty one."""
    return f"predict_files_{brought.cleared}"


def _take(key: str, on_new: Callable[[], None], on_none: Callable[[], None]) -> None:
    """Forget what left the uploader, and queue what is new in it; reading happens with a bar of progress in view."""
    brought, files = uploads(), st.session_state[key] or []
    now = {file.file_id for file in files}
    for gone in brought.in_uploader - now:
        brought.files.pop(gone, None)
    new = [file for file in files if file.file_id not in brought.files]
    for file in new:
        brought.files[file.file_id] = _queued(file)
    if new:
        on_new()
    elif not brought.files:
        on_none()


def _queued(file: Any) -> Brought:
    if not file.name.lower().endswith(".zip"):
        return Brought(file.name, waiting=[(file.name, file.getvalue)])
    try:
        members, dropped = zip_files(file.getvalue(), file.name)
    except CrystalError as mistake:
        return Brought(file.name, mistakes=[str(mistake)])
    mistakes = [f"{name} in {file.name}: {why}" for name, why in dropped.items()]
    return Brought(file.name, waiting=list(members.items()), mistakes=mistakes)


def _clear(on_none: Callable[[], None]) -> None:
    st.session_state["predict_uploads"] = Uploads(cleared=uploads().cleared + 1)
    on_none()


def _stop() -> None:
    for file in uploads().files.values():
        if file.waiting:
            count = f"{len(file.waiting):,} file{'s' * (len(file.waiting) > 1)} of it" if file.keys else "it"
            file.mistakes.append(f"{file.name}: you stopped before {count} could be read; bring it again.")
        file.waiting.clear()


def _read_waiting(brought: Uploads) -> None:
    """Read the queue. Whatever interrupts this, the next run goes on with what is left."""
    queue = _queue(brought)
    for _ in shown_progress("Read", sum(len(file.waiting) for file in brought.files.values()), on_stop=_stop):
        for _, file in zip(range(STEP), queue, strict=False):
            _read_one(file)


def _queue(brought: Uploads) -> Iterator[Brought]:
    for file in list(brought.files.values()):
        while file.waiting:
            yield file


def _read_one(file: Brought) -> None:
    name, read = file.waiting.pop(0)
    try:
        file.keys.append(shelf.keep(read(), name, home() / "crystals"))
    except CrystalError as mistake:
        sentence = str(mistake)
        file.mistakes.append(sentence if name in sentence else f"{name}: {sentence}")


def _show_notes(brought: Uploads) -> None:
    """The files that could not be read, those that came twice, and what a refresh would lose."""
    for sentence in brought.mistakes[:MOST_SHOWN]:
        show_mistake(sentence)
    if more := brought.mistakes[MOST_SHOWN:]:
        with st.expander(f"{len(more):,} more files could not be read", icon=":material/error:"):
            st.dataframe([{"Why": sentence} for sentence in more], hide_index=True)
    if twice := brought.repeated:
        names = [find(key).title for _, key in twice]
        more_names = f" and {len(names) - MOST_SHOWN:,} more" if len(names) > MOST_SHOWN else ""
        verb = "was" if len(names) == 1 else "were"
        st.info(
            plain(f"{', '.join(names[:MOST_SHOWN])}{more_names} {verb} already in the table."), icon=":material/info:"
        )
    if (count := len(brought.keys)) > MOST_LINKED:
        st.info(
            f"A refresh of the browser keeps the first {MOST_LINKED} of these {count:,} crystals; the others would "
            "have to be brought again.",
            icon=":material/info:",
        )
