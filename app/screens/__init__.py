"""One script a page; Streamlit runs them by their paths, nothing imports them."""
