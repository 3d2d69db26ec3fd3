"""What did it learn from?"""

import streamlit as st

from cgcnn.data.targets import TARGETS
from cgcnn.figures.learning import target_histogram
from cgcnn.figures.periodic_table import periodic_table
from cgcnn.figures.scene import crystal_scene
from cgcnn.ui.data_sets import bring_your_own, chosen_set, chosen_target, crystal_table
from cgcnn.ui.frame import framed
from cgcnn.ui.prose import explained, mistakes_shown
from cgcnn.ui.viewer import crystal_view

framed()
st.title("Data")
st.markdown("**What did it learn from?** A network knows nothing but the crystals and numbers below.")

with mistakes_shown():
    crystals = chosen_set()
crystals.card()
target = chosen_target(crystals)

values, elements = st.columns(2, gap="large")
with values:
    st.plotly_chart(target_histogram(crystals.values(target), target=TARGETS[target]), key="values")
    if TARGETS[target].is_class:
        explained("data", "What do the two bars say?")
with elements:
    counts = crystals.element_counts(target)
    st.plotly_chart(periodic_table(counts, title="Crystals that contain each element", unit="crystals", log=True))
    explained("data", "What am I looking at?")
crystals.about(target)

st.subheader("Look at one")
table, picture = st.columns(2, gap="large")
with table:
    entry = crystal_table(crystals, target)
with picture:
    if entry is not None:
        crystal_view(crystal_scene(entry.structure), key="entry", height=380)
        st.button(f"Look at {entry.formula} on every page", on_click=crystals.take, args=(entry,))

bring_your_own()
