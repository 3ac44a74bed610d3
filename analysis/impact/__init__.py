"""Blast radius: what depends on a repo, and what its end or its corruption would reach."""
