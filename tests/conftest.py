"""Fixtures that all tests share, one file for each thing."""

import os

from hypothesis import settings

from tests.processes import of_an_installation

# The developer's own installation is none of the tests' business. (Nor is his .env: see tests/unit/test_apart.py.)
for name in filter(of_an_installation, list(os.environ)):
    del os.environ[name]
# As `core.inference` does, which a test may import after the hub's client.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

pytest_plugins = ["tests.fixtures_db"]

# In CI a red run must say something about the change, not about luck: there the examples are the same each time. At a
# developer's desk they are new ones, and hunt.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")
