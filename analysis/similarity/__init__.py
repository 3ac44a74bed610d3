"""How alike models are that are related as parent, sibling or grandparent, or not at all."""
