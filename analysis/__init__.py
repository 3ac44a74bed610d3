"""Arrays, frames and relations in; relations keyed by repo_id out."""


class AnalysisError(Exception):
    """An analysis cannot be made; the message is one line for the user."""
