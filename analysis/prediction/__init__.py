"""What a model does not say of itself, told from its kin, its owner's other models and its text."""
