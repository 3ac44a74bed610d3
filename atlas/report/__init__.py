"""A study as figures and as one page that needs nothing else."""
