"""The only room that knows Streamlit: what pages are put together from."""
