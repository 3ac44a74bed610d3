"""Relations in, places on the map out: what a screen draws."""


class AtlasError(Exception):
    """What is asked for cannot be drawn; the message is one line for the user."""
