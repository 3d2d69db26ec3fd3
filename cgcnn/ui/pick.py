"""A 3D view in which a click selects an atom on every page."""

import streamlit as st

from cgcnn.figures.parts import Scene
from cgcnn.ui.current import select_atom
from cgcnn.ui.viewer import crystal_view


def pickable_view(scene: Scene, key: str, selected: int, height: int = 480) -> None:
    """Show a scene of the crystal in view; a click on another atom selects it and draws the page again."""
    clicked = crystal_view(scene, key=key, selected=selected, height=height)
    if clicked is not None and clicked != selected:
        select_atom(clicked)
        st.rerun()
