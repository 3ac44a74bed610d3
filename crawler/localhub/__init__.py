"""The embedded hub: a server of the Hub's routes over a zoo or a recording."""
