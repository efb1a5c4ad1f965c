"""requirements/*.txt: complete, exact, hashed, free of torch and of this machine."""

import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.deploy.files import ROOT, load_pins

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# Which parts of pyproject.toml each lock must satisfy; "" is what every process needs.
PARTS = {
    "lock.txt": ("", "worker", "openai", "quantise", "web", "slack", "s3", "dev"),
    "bots.txt": ("", "web", "slack", "s3"),
    "worker.txt": ("", "worker", "openai", "quantise", "s3"),
}


def requirements_of(part: str) -> list[Requirement]:
    lines = PROJECT["optional-dependencies"][part] if part else PROJECT["dependencies"]
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize("lock", sorted(PARTS))
def test_every_requirement_is_pinned_to_a_version_that_satisfies_it(lock: str) -> None:
    pins = load_pins(lock)
    for part in PARTS[lock]:
        for requirement in requirements_of(part):
            if requirement.name not in ("torch", "glimt"):
                version = pins[canonicalize_name(requirement.name)]
                assert requirement.specifier.contains(version), f"{requirement} against {version}: run `make lock`"


# The oldest Python that pyproject.toml allows, as packages' markers see it. The locks are made on a later one.
OLDEST = {"python_version": "3.11", "python_full_version": "3.11.0"}
# What pip installs apart from the locks.
APART = ("torch", "glimt", "pip")


def needed(requirements: list[Requirement]) -> Iterator[str]:
    """Names of `requirements` on the oldest Python, and of whatever they need there by their installed metadata."""
    waiting, seen = list(requirements), set[tuple[str, str]]()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        yield name
        for extra in {"", *requirement.extras}:
            if name in APART or (name, extra) in seen:
                continue
            seen.add((name, extra))
            try:
                lines = distribution(name).requires or []
            except PackageNotFoundError:
                continue  # Not for this Python, so not installed; that it is locked is what counts.
            found = map(Requirement, lines)
            waiting += [r for r in found if r.marker is None or r.marker.evaluate(OLDEST | {"extra": extra})]


@pytest.mark.parametrize("lock", sorted(PARTS))
def test_the_oldest_python_finds_all_that_it_needs(lock: str) -> None:
    everything = [requirement for part in PARTS[lock] for requirement in requirements_of(part)]
    assert set(needed(everything)) - load_pins(lock).keys() - set(APART) == set()


def test_what_only_an_older_python_needs_is_noticed() -> None:
    assert "async-timeout" in set(needed([Requirement("redis")]))


@pytest.mark.parametrize("lock", sorted(PARTS))
def test_torch_and_its_drivers_are_left_to_the_user(lock: str) -> None:
    drivers = [name for name in load_pins(lock) if name.startswith(("torch", "nvidia", "cuda", "triton"))]
    # Names no torch among its requirements, and its kernels beyond plain torch are loaded only where they fit.
    assert set(drivers) <= {"torchao"}


def test_bots_need_nothing_of_the_inference_stack() -> None:
    assert {"transformers", "accelerate", "safetensors", "tokenizers", "numpy"} & set(load_pins("bots.txt")) == set()


@pytest.mark.parametrize("lock", ["bots.txt", "worker.txt"])
def test_images_have_the_versions_that_were_tested(lock: str) -> None:
    assert load_pins(lock).items() <= load_pins("lock.txt").items()


def test_torch_is_pinned_exactly_and_in_range() -> None:
    (pin,) = [Requirement(line) for line in (ROOT / "requirements/torch.txt").read_text().splitlines()]
    (wanted,) = [r for r in requirements_of("worker") if r.name == "torch"]
    assert [spec.operator for spec in pin.specifier] == ["=="]
    assert wanted.specifier.contains(next(iter(pin.specifier)).version)


@pytest.mark.parametrize("lock", sorted(PARTS))
def test_no_address_and_no_path_of_the_machine_that_made_it(lock: str) -> None:
    text = (ROOT / "requirements" / lock).read_text()
    assert not [line for line in text.splitlines() if "://" in line or line.startswith("--")]
