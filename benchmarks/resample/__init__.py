"""A made-up Hub of any size, out of real records and published numbers; see `hub.py`."""
