"""The only room that speaks HTTP: from a Hub's answers to raw files, and the embedded hub."""


class CrawlError(Exception):
    """A crawl or an embedded hub cannot go on; the message is one line for the user.

    Each failure that a caller can act on is a class of its own, defined where it is raised.
    """
