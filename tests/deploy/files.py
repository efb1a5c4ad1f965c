"""Readers of the files that deploy Glimt, as small as these files allow."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
_VARIABLE = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<name>\w+)(?::(?P<how>[-?])(?P<word>[^}]*))?\})")


class Missing(Exception):
    """A variable that compose.yaml requires is not set; `args[0]` names it."""


def interpolated(text: str, variables: dict[str, str]) -> str:
    """`text` with ${NAME}, ${NAME:-default}, ${NAME:?message} and $$ replaced as the Compose Specification says.

    Raises:
        Missing: a ${NAME:?message} without a value.
    """

    def value(match: re.Match[str]) -> str:
        if match["dollar"]:
            return "$"
        found = variables.get(match["name"], "")
        if found or match["how"] is None:
            return found
        if match["how"] == "?":
            raise Missing(match["name"])
        return match["word"]

    return _VARIABLE.sub(value, text)


def variables_of(text: str) -> set[str]:
    """Names that `text` interpolates."""
    return {match["name"] for match in _VARIABLE.finditer(text) if match["name"]}


def load_compose(variables: dict[str, str]) -> dict[str, Any]:
    """compose.yaml with its merge keys and variables resolved."""
    resolved: dict[str, Any] = _walk(yaml.safe_load((ROOT / "compose.yaml").read_text()), variables)
    return resolved


def _walk(node: Any, variables: dict[str, str]) -> Any:
    if isinstance(node, dict):
        return {key: _walk(value, variables) for key, value in node.items()}
    if isinstance(node, list):
        return [_walk(value, variables) for value in node]
    return interpolated(node, variables) if isinstance(node, str) else node


@dataclass(frozen=True)
class Stage:
    """One stage of the Dockerfile: its base and its instructions in order."""

    base: str
    steps: tuple[tuple[str, str], ...]

    def all(self, instruction: str) -> list[str]:
        """Arguments of every such instruction."""
        return [rest for name, rest in self.steps if name == instruction]

    def copied(self) -> list[str]:
        """Sources in the build context."""
        lines = [shlex.split(rest) for rest in self.all("COPY")]
        return [source for line in lines if not line[0].startswith("--from") for source in line[:-1]]


def load_stages() -> dict[str, Stage]:
    """The stages of the Dockerfile by name; a stage that builds on another one has its steps too."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    stages: dict[str, Stage] = {}
    name = ""
    for line in filter(None, map(str.strip, text.splitlines())):
        instruction, _, rest = line.partition(" ")
        if instruction == "FROM":
            base, _, name = rest.partition(" AS ")
            stages[name] = Stage(base, stages[base].steps if base in stages else ())
        else:
            stages[name] = Stage(stages[name].base, (*stages[name].steps, (instruction, rest.strip())))
    return stages


def load_pins(lock: str) -> dict[str, str]:
    """Versions in requirements/`lock` by canonical name.

    Raises:
        ValueError: a line without an exact version or without a hash.
    """
    text = (ROOT / "requirements" / lock).read_text().replace("\\\n", " ")
    pins: dict[str, str] = {}
    for line in text.splitlines():
        if not line or line.lstrip().startswith("#"):
            continue
        words = line.split("#")[0].split(" --hash=")
        requirement = Requirement(words[0].strip())
        versions = [spec.version for spec in requirement.specifier if spec.operator == "=="]
        if len(versions) != 1 or len(words) < 2:
            raise ValueError(f"{lock}: not pinned by version and hash: {line}")
        pins[canonicalize_name(requirement.name)] = versions[0]
    return pins
