"""Raw files in, one DuckDB file out: the SQL that names and types things."""


class WarehouseError(Exception):
    """The warehouse cannot be built or read; the message is one line for the user."""
