"""All runs of a transfer study at once: pause, resume, stop, and try again what was stopped or failed."""

import streamlit as st

from cgcnn.errors import CrystalError
from cgcnn.runs.store import RunStore
from cgcnn.training.transfer_study import OWN
from cgcnn.ui.experiment_controls import sweep_controls
from cgcnn.ui.experiment_seen import LOST, Member
from cgcnn.ui.prose import plain, show_mistake
from cgcnn.ui.transfer_seen import StudySeen
from cgcnn.ui.who import may_control, who


def study_controls(runs: RunStore, seen: StudySeen) -> None:
    """The buttons of an experiment; lost runs are tried again in the order of the study, sources first."""
    lost = [member for member in seen.members if member.run.state in LOST]
    kept = [member for member in seen.members if member.run.state not in LOST]
    if not seen.is_over:
        sweep_controls(runs, seen.sweep, kept)
    if not lost:
        return
    for why in dict.fromkeys(member.run.error for member in lost if member.run.error):
        names = [member.run.name for member in lost if member.run.error == why]
        st.warning(f"**{plain('; '.join(names))}**: {plain(why)}", icon=":material/error:")
    words = "the stopped or failed run" if len(lost) == 1 else f"the {len(lost)} stopped or failed runs"
    st.button(
        f"Try {words} again", icon=":material/replay:",
        help="The same settings and seeds once more, in a new run each.",
        key="study_again", disabled=not may_control(seen.sweep.user), on_click=_try_again, args=(runs, seen, lost),
    )  # fmt: skip


def _try_again(runs: RunStore, seen: StudySeen, lost: list[Member]) -> None:
    """New runs in place of the lost ones; what started from a lost source starts from its new run."""
    places = seen.steps
    sources = [member for member in lost if places[member.run.name].column == OWN]
    new_ids: dict[str, str] = {}
    try:
        for member in [*sources, *(member for member in lost if member not in sources)]:
            run, config = member.run, member.config
            if config.transfer.run:
                source = new_ids.get(config.transfer.run) or _source_now(seen, member)
                config = config.with_(**{"transfer.source": source})
            parent = run.parent or run.id
            new_ids[run.id] = runs.submit(config, user=seen.sweep.user, owner=who().owner, name=run.name, parent=parent)
    except CrystalError as mistake:
        show_mistake(str(mistake))


def _source_now(seen: StudySeen, member: Member) -> str:
    """The id of the run that this one starts from, which may have been tried again since."""
    place = seen.steps[member.run.name]
    named = [one for one in seen.of(place.source, OWN) if one.config.train.seed == member.config.train.seed]
    return named[0].run.id if named else member.config.transfer.run
