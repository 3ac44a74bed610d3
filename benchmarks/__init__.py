"""Speed, measured: absolute figures for this machine, ratios to a plain loop in the same run."""
