"""What does one layer do?"""

import streamlit as st

from cgcnn.explain.steps import has_messages
from cgcnn.ui.current import current, selected_atom
from cgcnn.ui.frame import framed
from cgcnn.ui.layer_attention import attention_tab
from cgcnn.ui.layer_cells import pooling_tab, smoothing_tab
from cgcnn.ui.layer_choice import asked_network, convs_of, looked, place
from cgcnn.ui.layer_view import (
    atom_picture,
    code_of,
    kind_of,
    layer_picture,
    message_picture,
    step_by_step,
    steps_of,
    what_if,
)
from cgcnn.ui.prose import explained, mistakes_shown

config, shown = framed(), current()
structure, atom = shown.structure, selected_atom(shown.structure)
st.title("Convolution")
st.markdown("**What does one layer do?** Each atom listens to its neighbors, edge by edge, and changes its vector.")

with mistakes_shown():
    asked = asked_network(config)
    look = looked(structure, config, asked)
    listening = any(has_messages(layer) for layer in convs_of(asked))
    at = place(structure, look, atom, listening=listening)
if len(look.v) == 1:
    st.info("This network has no convolution: its atoms go straight to the pooling.", icon=":material/info:")
    pooling_tab(structure, config, asked, at)
    explained("convolution", "What is pooling?")
    st.stop()
with mistakes_shown():
    steps = steps_of(look, asked, at.layer, atom)

picture, messages = st.columns([2, 3], gap="large")
with picture:
    atom_picture(structure, look, atom, at, listening=listening)
    explained("convolution", f"What does the {kind_of(steps)} layer compute?")
with messages:
    message_picture(structure, look, atom, steps, at)
    layer_picture(structure, look, atom, at)
    explained("convolution", "What am I looking at?")

names = ["Step by step", "What if", "Attention", "Pooling", "Over-smoothing", "Code of this layer"]
single, other, attention, pooling, smoothing, code = st.tabs(names, key="conv_tab", bind="query-params")
if single.open:
    with single:
        step_by_step(steps, at)
if other.open:
    with other, mistakes_shown():
        what_if(look, asked, steps, atom, at)
        explained("convolution", "What changes?")
if attention.open:
    with attention:
        attention_tab(structure, look, asked, at, atom)
if pooling.open:
    with pooling:
        pooling_tab(structure, config, asked, at)
        explained("convolution", "What is pooling?")
if smoothing.open:
    with smoothing:
        smoothing_tab(structure, look, at)
        explained("convolution", "What is over-smoothing?")
if code.open:
    with code:
        code_of(steps)
