"""What every study stands on: its frame of models and edges, its measures, its resampling."""
