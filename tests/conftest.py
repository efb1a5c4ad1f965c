"""Fixtures that all tests share, one file for each thing."""

pytest_plugins = ["tests.fixtures_db"]
