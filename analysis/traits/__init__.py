"""Traits of models, how they mutate from base model to child, and whether they drift one way."""
