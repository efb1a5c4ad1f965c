"""requirements/*.txt: complete, exact, hashed, free of torch and of this machine."""

import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.deploy.files import ROOT, load_pins

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# Which parts of pyproject.toml each lock must satisfy; "" is what every process needs.
PARTS = {
    "lock.txt": ("", "worker", "web", "s3", "dev"),
    "bots.txt": ("", "web", "s3"),
    "worker.txt": ("", "worker", "s3"),
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


@pytest.mark.parametrize("lock", sorted(PARTS))
def test_torch_and_its_drivers_are_left_to_the_user(lock: str) -> None:
    assert [name for name in load_pins(lock) if name.startswith(("torch", "nvidia", "cuda", "triton"))] == []


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
