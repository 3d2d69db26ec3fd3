"""Readers without a browser: they speak Streamlit's own protocol, so thirty of them fit beside the server they load.

A session opens a page, sends back the values of its widgets with every request, presses buttons, and asks a fragment
to run again at the interval that the server wants: what a browser does, less the drawing.
"""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Delta_pb2 import Delta
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.NumberInput_pb2 import NumberInput
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

PATIENCE = 60.0  # s without a word from the server
ENDED = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)


@dataclass(frozen=True)
class Answer:
    """One request and what came back: times in s, `asked` and `came` since 1970."""

    kind: str  # open, page, press or poll
    asked: float
    came: float
    seconds: float
    full: bool  # the whole page ran, not a fragment alone
    n_messages: int
    n_bytes: int


@dataclass
class Session:
    """A reader's page: what stands on it, and what the next request must say of it."""

    port: int
    query: str = ""
    page_name: str = ""
    page_hash: str = ""
    polled: dict[str, float] = field(default_factory=dict)  # fragment -> s between its runs
    drawn: dict[tuple[int, ...], Delta] = field(default_factory=dict)  # place on the page -> what stands there
    values: dict[str, WidgetState] = field(default_factory=dict)
    kept: dict[str, ForwardMsg] = field(default_factory=dict)  # messages that the server need not send twice
    answers: list[Answer] = field(default_factory=list)
    wire: ClientConnection | None = None

    async def open(self, page: str, query: str = "") -> Answer:
        """Come to a page as by a link; the answer is the whole page."""
        self.page_name, self.query = page, query
        url = f"ws://127.0.0.1:{self.port}/_stcore/stream"
        self.wire = await connect(url, subprotocols=[Subprotocol("streamlit")], max_size=None)
        return await self.ask("open")

    async def close(self) -> None:
        """Close the page."""
        if self.wire is not None:
            await self.wire.close()

    async def press(self, label: str) -> Answer:
        """Press the button that is called so; RuntimeError when there is none, or when it cannot be pressed."""
        found = [delta for delta in self.drawn.values() if delta.new_element.button.label == label]
        if not found or found[0].new_element.button.disabled:
            raise RuntimeError(f"no button {label!r} to press, but {sorted(self.buttons())}")
        trigger = WidgetState(id=found[0].new_element.button.id, trigger_value=True)
        return await self.ask("press", found[0].fragment_id, trigger)

    async def poll(self, fragment: str) -> Answer:
        """Ask a fragment to run again, as the timer of the page does."""
        return await self.ask("poll", fragment)

    async def ask(self, kind: str = "page", fragment: str = "", trigger: WidgetState | None = None) -> Answer:
        """Have the page or a fragment run, and wait until all of the answer is there."""
        assert self.wire is not None, "open a page first"
        request = self._request(fragment, trigger, kind == "poll").SerializeToString()
        asked, begun = time.time(), time.perf_counter()
        await self.wire.send(request)
        full, n_messages, n_bytes = False, 0, 0
        while True:
            data = await asyncio.wait_for(self.wire.recv(decode=False), PATIENCE)
            seconds, message = time.perf_counter() - begun, ForwardMsg.FromString(data)
            n_messages, n_bytes = n_messages + 1, n_bytes + len(data)
            full |= self._take(message)
            if message.WhichOneof("type") == "script_finished" and message.script_finished in ENDED:
                break
        self.answers.append(Answer(kind, asked, asked + seconds, seconds, full, n_messages, n_bytes))
        return self.answers[-1]

    def buttons(self) -> list[str]:
        """The labels of the buttons on the page that can be pressed."""
        found = [delta.new_element.button for delta in self.drawn.values()]
        return [button.label for button in found if button.label and not button.disabled]

    def texts(self) -> list[str]:
        """What the page says, but for its widgets."""
        return [delta.new_element.markdown.body for delta in self.drawn.values() if delta.new_element.markdown.body]

    def charts(self) -> Iterator[dict[str, Any]]:
        """The ECharts options on the page."""
        for delta in self.drawn.values():
            if delta.new_element.WhichOneof("type") == "echarts_chart":
                yield json.loads(delta.new_element.echarts_chart.spec)

    def mistakes(self) -> list[str]:
        """The exceptions that the page shows."""
        shown = [delta.new_element for delta in self.drawn.values()]
        return [element.exception.message for element in shown if element.WhichOneof("type") == "exception"]

    def _request(self, fragment: str, trigger: WidgetState | None, is_timer: bool) -> BackMsg:
        request = BackMsg()
        state = request.rerun_script
        state.query_string, state.page_name = self.query, self.page_name if not self.page_hash else ""
        state.page_script_hash, state.fragment_id, state.is_auto_rerun = self.page_hash, fragment, is_timer
        state.cached_message_hashes.extend(self.kept)
        here = {id_of(delta.new_element) for delta in self.drawn.values()}
        state.widget_states.widgets.extend(value for name, value in self.values.items() if name in here)
        if trigger is not None:
            state.widget_states.widgets.append(trigger)
        return request

    def _take(self, message: ForwardMsg) -> bool:
        """Bring the page up to date; True when a run of the whole page begins."""
        kind = message.WhichOneof("type")
        if kind == "ref_hash":
            place = tuple(message.metadata.delta_path)
            message, kind = self.kept[message.ref_hash], "delta"
            self._draw(place, message.delta)
        elif kind == "delta":
            self._draw(tuple(message.metadata.delta_path), message.delta)
            if message.metadata.cacheable:
                self.kept[message.hash] = message
        elif kind == "auto_rerun":
            self.polled[message.auto_rerun.fragment_id] = message.auto_rerun.interval
        elif kind == "stop_auto_rerun":
            for name in message.stop_auto_rerun.fragment_ids:
                self.polled.pop(name, None)
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "navigation":
            self.page_hash = message.navigation.page_script_hash
        elif kind == "new_session":
            return self._begin(message)
        return False

    def _begin(self, message: ForwardMsg) -> bool:
        """Forget what the coming run draws anew; True when that is the whole page."""
        fragments = set(message.metadata.run.fragment_ids)
        if not fragments:
            self.polled.clear()
        stays = [(place, delta) for place, delta in self.drawn.items() if delta.fragment_id not in fragments]
        self.drawn = dict(stays) if fragments else {}
        return not fragments

    def _draw(self, place: tuple[int, ...], delta: Delta) -> None:
        self.drawn[place] = delta
        element = delta.new_element
        kind, name = element.WhichOneof("type"), id_of(element)
        if kind in VALUES and (name not in self.values or getattr(element, kind).set_value):
            self.values[name] = VALUES[kind](getattr(element, kind))


def id_of(element: Element) -> str:
    """The id under which the server knows a widget, "" for what is none."""
    kind = element.WhichOneof("type")
    return str(getattr(getattr(element, kind), "id", "")) if kind else ""


def _of_slider(w: Any) -> WidgetState:
    state = WidgetState(id=w.id)
    state.double_array_value.data.extend(w.value if w.set_value else w.default)
    return state


def _of_number(w: Any) -> WidgetState:
    value = w.value if w.set_value else w.default
    if w.data_type == NumberInput.INT:
        return WidgetState(id=w.id, int_value=int(value))
    return WidgetState(id=w.id, double_value=value)


def _of_list(w: Any) -> WidgetState:
    if not w.set_value and not w.HasField("default"):
        return WidgetState(id=w.id)
    return WidgetState(id=w.id, string_value=w.raw_value if w.set_value else w.options[w.default])


def _of_buttons(w: Any) -> WidgetState:
    state = WidgetState(id=w.id)
    state.string_array_value.data.extend(w.raw_values if w.set_value else [w.options[i].content for i in w.default])
    return state


def _of_text(w: Any) -> WidgetState:
    return WidgetState(id=w.id, string_value=w.value if w.set_value else w.default)


def _of_toggle(w: Any) -> WidgetState:
    return WidgetState(id=w.id, bool_value=w.value if w.set_value else w.default)


VALUES: dict[str, Callable[[Any], WidgetState]] = {  # kind of widget -> what a browser says of it
    "slider": _of_slider,
    "number_input": _of_number,
    "selectbox": _of_list,
    "button_group": _of_buttons,
    "text_input": _of_text,
    "checkbox": _of_toggle,
}
