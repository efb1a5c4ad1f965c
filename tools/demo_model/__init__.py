"""Trains, exports and measures Glimt's demo model: a small Glm4v that knows coloured shapes.

`python -m tools.demo_model --help` lists what it does.
"""
