"""Structure of an ecosystem: families, their shapes and motifs, growth, who holds how much."""
