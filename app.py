"""Crystal Graph Lab: start it with `streamlit run app.py`. This file is the table of contents."""

import streamlit as st

from cgcnn.ui.frame import sidebar
from cgcnn.ui.warm import warm_up

PAGES = {
    "See": [
        st.Page("pages/crystal.py", title="Crystal", icon=":material/deployed_code:", default=True),
        st.Page("pages/graph.py", title="Graph", icon=":material/hub:"),
        st.Page("pages/encoding.py", title="Encoding", icon=":material/barcode:"),
        st.Page("pages/convolution.py", title="Convolution", icon=":material/join_inner:"),
    ],
    "Learn": [
        st.Page("pages/train.py", title="Train", icon=":material/show_chart:"),
        st.Page("pages/compare.py", title="Compare", icon=":material/compare_arrows:"),
        st.Page("pages/transfer.py", title="Transfer", icon=":material/move_down:"),
    ],
    "Use": [
        st.Page("pages/predict.py", title="Predict", icon=":material/online_prediction:"),
        st.Page("pages/data.py", title="Data", icon=":material/database:"),
    ],
}


def main() -> None:
    """Draw the frame, then the page that the URL names."""
    st.set_page_config("Crystal Graph Lab", "static/icon.svg", layout="wide")  # a named icon would come from a CDN
    page = st.navigation(PAGES)
    sidebar(page.title)
    page.run()
    warm_up()


# A process that multiprocessing spawns imports this file again under another name; it must draw nothing.
if __name__ == "__main__":
    main()
