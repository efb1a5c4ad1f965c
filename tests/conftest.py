"""Fixtures that all tests share, one file for each thing."""

import os

from hypothesis import settings

pytest_plugins = ["tests.fixtures_db"]

# In CI a red run must say something about the change, not about luck: there the examples are the same each time. At a
# developer's desk they are new ones, and hunt.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")
