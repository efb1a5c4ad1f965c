"""Measurements: always side by side in one run, reported as ratios, because machines are noisy."""
