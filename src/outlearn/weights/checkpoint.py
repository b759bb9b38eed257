"""Checkpoints as safetensors with a JSON header and a digest over all of it; nothing is ever unpickled."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

from outlearn import plain
from outlearn.errors import WeightsError
from outlearn.sealed import entries_of, read_sealed, write_sealed

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = [
    "Header",
    "fill_network",
    "once_a_file",
    "read_checkpoint",
    "read_network",
    "shipped",
    "write_checkpoint",
]

Rest = TypeVarTuple("Rest")
Loaded = TypeVar("Loaded")
Net = TypeVar("Net", bound="nn.Module")

HERE = Path(__file__).parent
_ENTRY = "outlearn"  # of the header of a file


@dataclass(frozen=True, slots=True)
class Header:
    """The description that a checkpoint holds of itself.

    architecture : name and version of the architecture; a reader refuses any other.
    config : constructor arguments of the network.
    corpus : what it was trained on, with the licence of each part.
    seed, command : with which the training can be repeated.
    features : names of the inputs, in order; a reader compares them with its own.
    sha256 : digest of the tensors, filled in on writing.
    """

    architecture: str
    config: dict[str, Any]
    corpus: str
    seed: int
    command: str
    features: tuple[str, ...] = ()
    notes: dict[str, Any] = field(default_factory=dict)
    sha256: str = ""


def digest(tensors: dict[str, Tensor]) -> str:
    """Return the SHA-256 of names, shapes and values."""
    total = hashlib.sha256()
    for name in sorted(tensors):
        value = tensors[name].detach().contiguous().cpu()
        total.update(f"{name} {tuple(value.shape)} {value.dtype}".encode())
        total.update(value.numpy().tobytes())
    return total.hexdigest()


def write_checkpoint(path: Path, tensors: dict[str, Tensor], header: Header) -> None:
    """Write tensors and header to `path`, whole or not at all; missing folders are made.

    Raises
    ------
    OutputError
        When the file cannot be written; what was there before stays as it was.
    """
    text = json.dumps({**asdict(header), "sha256": digest(tensors)}, sort_keys=True)
    arrays = {name: value.detach().cpu().numpy() for name, value in tensors.items()}
    write_sealed(path, arrays, {_ENTRY: text}, parents=True)


def read_checkpoint(path: Path, architecture: str) -> tuple[dict[str, Tensor], Header]:
    """Read a checkpoint.

    Raises
    ------
    WeightsError
        When the file is absent, no checkpoint, damaged or of another architecture.
    """
    import torch

    if not path.is_file():
        raise WeightsError(f"no checkpoint at {path}")
    try:
        entries = entries_of(path)
        if _ENTRY not in entries:
            raise WeightsError(f"{path} has no outlearn header; was it written by another program?")
        contents = read_sealed(path, (_ENTRY,))
        tensors = {name: torch.from_numpy(values) for name, values in contents.arrays.items()}
    except (OSError, ValueError, TypeError) as error:
        raise WeightsError(f"{path} is not a readable safetensors file: {error}") from error
    header = _header(path, entries[_ENTRY])
    if header.architecture != architecture:
        raise WeightsError(
            f"{path} holds architecture {header.architecture!r}; this version reads {architecture!r}"
        )
    if header.sha256 != digest(tensors):
        raise WeightsError(f"{path} is damaged: its values do not match the digest in its header")
    for name, value in tensors.items():
        if value.is_floating_point() and not torch.isfinite(value).all():
            raise WeightsError(f"{path} holds weights that are not finite numbers, in {name[:40]!r}")
    return tensors, header


def _header(path: Path, text: str) -> Header:
    try:
        entries = plain.record(json.loads(text), "it")
        for name in ("architecture", "corpus", "command", "sha256"):
            plain.text(entries, name)
        for name in ("config", "notes"):
            plain.record(plain.entry(entries, name), repr(name))
        plain.whole(entries, "seed")
        return Header(**{**entries, "features": plain.texts(entries, "features")})
    except (ValueError, TypeError, RecursionError) as error:
        raise WeightsError(f"{path} has a header that this version cannot read: {error}") from error


def read_network(
    path: Path, architecture: str, features: tuple[str, ...], make: Callable[[dict[str, Any]], Net]
) -> Net:
    """Read a network that `make` builds from the configuration in the header, ready to be asked.

    features : the inputs that this version computes; a network trained on others is refused.

    Raises
    ------
    WeightsError
        When the file cannot be used; see `read_checkpoint`.
    """
    tensors, header = read_checkpoint(path, architecture)
    if header.features != features:
        raise WeightsError(f"{path} was trained on other features than this version computes; train it anew")
    return fill_network(path, make, header.config, tensors)


def fill_network(
    path: Path, make: Callable[[dict[str, Any]], Net], config: dict[str, Any], tensors: dict[str, Tensor]
) -> Net:
    """Return the network that `make` builds from a configuration, with the tensors of a file in it.

    Raises
    ------
    WeightsError
        When they do not fit; a network of another size is never built.
    """
    import torch

    try:
        with torch.device("meta"):  # where tensors take no memory, whatever the configuration says
            wanted = {name: value.shape for name, value in make(config).state_dict().items()}
        if {name: value.shape for name, value in tensors.items()} != wanted:
            raise ValueError("other names or shapes")
        net = make(config)
        net.load_state_dict(tensors)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RuntimeError) as error:
        raise WeightsError(f"{path} holds tensors that do not fit the network of its header") from error
    return net.eval()


def once_a_file(load: Callable[[Path, *Rest], Loaded]) -> Callable[[Path, *Rest], Loaded]:
    """Let what a file holds be read once and shared, until the file is written anew."""

    @lru_cache(maxsize=16)
    def kept(written: int, path: Path, *rest: *Rest) -> Loaded:
        return load(path, *rest)

    def ask(path: Path, *rest: *Rest) -> Loaded:
        return kept(path.stat().st_mtime_ns if path.exists() else 0, path, *rest)

    return ask


def shipped(name: str) -> Path:
    """Return the path of a checkpoint that ships with the package."""
    return HERE / f"{name}.safetensors"
