"""The faces: command line and Streamlit."""


class AppError(Exception):
    """A command or page cannot go on; the message is one line for the user."""
