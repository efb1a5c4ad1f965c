"""What our images distribute may be linked with: no GPL, no AGPL. LGPL libraries that a user can replace are fine."""

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import PurePath

import pytest

from tests.deploy.files import load_pins

# Whole words, so that LGPL does not match.
_COPYLEFT = re.compile(r"(?<![A-Za-z])A?GPL|(?<!Lesser )(?<!Library )General Public License", re.IGNORECASE)
# Shared libraries under the GPL that wheels are known to carry along, whatever their metadata says.
_GPL_LIBRARIES = re.compile(r"lib(x264|x265|postproc|readline|gdbm|fftw3|kvazaar)\b", re.IGNORECASE)
# What was looked up in the licence file of packages whose metadata names none.
_LOOKED_UP = {"torchao": "BSD-3-Clause"}


def declared_licences(package: Distribution) -> list[str]:
    """What the metadata says: expression, classifiers, and the licence field if it is a name and not a whole text."""
    said = [words for field in ("License-Expression", "License") for words in package.metadata.get_all(field) or []]
    said += [words for words in package.metadata.get_all("Classifier") or [] if words.startswith("License ::")]
    return [words.strip().splitlines()[0] for words in said if words.strip()]


def is_free_to_link(licence: str) -> bool:
    """Whether one of the licences that may be chosen ("A OR B") is no GPL."""
    return any(not _COPYLEFT.search(choice) for choice in re.split(r"\bOR\b", licence))


@pytest.mark.parametrize(
    ("licence", "free"),
    [
        ("MIT", True),
        ("LGPL-3.0-only", True),
        ("License :: OSI Approved :: GNU Lesser General Public License v3 (LGPLv3)", True),
        ("GPL-2.0-only OR MIT", True),
        ("GPL-2.0-only", False),
        ("AGPLv3", False),
        ("License :: OSI Approved :: GNU General Public License v2 (GPLv2)", False),
        ("License :: OSI Approved :: GNU Affero General Public License v3", False),
    ],
)
def test_licences_are_told_apart(licence: str, free: bool) -> None:
    assert is_free_to_link(licence) is free


@pytest.mark.parametrize("name", sorted({*load_pins("bots.txt"), *load_pins("worker.txt"), "torch"}))
def test_a_distributed_package_is_free_to_link(name: str) -> None:
    try:
        package = distribution(name)
    except PackageNotFoundError:
        pytest.fail(f"{name} is locked but not installed: run `make venv`")
    licences = declared_licences(package) or [_LOOKED_UP[name] for _ in range(name in _LOOKED_UP)]
    assert licences, f"{name} declares no licence: look it up and decide"
    assert all(is_free_to_link(licence) for licence in licences), licences
    libraries = [PurePath(file).name for file in package.files or [] if ".so" in file.name or ".dylib" in file.name]
    assert [library for library in libraries if _GPL_LIBRARIES.match(library)] == []
