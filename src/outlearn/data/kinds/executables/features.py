"""Features of a file that could be run, without running it: its bytes, its strings, what its head says.

Run as a module it reads one path a line and answers with one line of JSON each: `source` keeps it in a
process of its own, for what it reads may be made to harm who parses it.
"""

from __future__ import annotations

import importlib
import json
import math
import re
import resource
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from outlearn.data.entropy import entropy
from outlearn.parent import end_with_parent_thread

__all__ = ["FEATURES", "UNPARSABLE", "features_of", "features_of_bytes"]

UNPARSABLE = "unparsable"  # what the format of a file is followed by where its head cannot be parsed
LARGEST = 64 << 20  # bytes of a file that are read
MEMORY = 2 << 30  # bytes that the process may take
FORMATS = {b"MZ": "PE", b"\x7fELF": "ELF"}  # by how files begin
BINS = 16  # of the histogram of byte values
STRING = re.compile(rb"[\x20-\x7e]{5,200}")
MOST_STRINGS = 20_000
MARKS = {
    "web addresses": re.compile(rb"https?://", re.I),
    "numeric addresses": re.compile(rb"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b"),
    "registry keys": re.compile(rb"HKEY_|\\CurrentVersion\\", re.I),
    "commands": re.compile(rb"cmd\.exe|powershell|/bin/sh|rundll32|schtasks|bash -c", re.I),
}
CALLS = {
    "network calls": (
        "socket", "connect", "internet", "http", "wsa", "recv", "send", "urldownload", "getaddr",
    ),
    "process calls": (
        "createprocess", "createremotethread", "writeprocessmemory", "virtualalloc", "ntunmap",
        "queueuserapc", "shellexecute", "winexec", "ptrace", "execve", "fork", "mprotect",
    ),
    "registry calls": ("regset", "regcreate", "regopen", "regdelete"),
    "crypto calls": ("crypt", "bcrypt", "aes", "evp_"),
    "watching calls": ("setwindowshook", "getasynckeystate", "getclipboard", "isdebuggerpresent", "bitblt"),
    "loading calls": ("loadlibrary", "getprocaddress", "ldrload", "dlopen", "dlsym"),
}  # fmt: skip
_SECTIONS = """
.text .data .rdata .bss .rsrc .reloc .idata .edata .pdata .tls .init .fini .plt .got .rodata .dynamic
.dynsym .dynstr .interp .comment .eh_frame .symtab .strtab .shstrtab .init_array .fini_array .got.plt .plt.got
.plt.sec .gnu.hash .gnu.version .gnu.version_r .rela.dyn .rela.plt .note.gnu.build-id .note.abi-tag
.eh_frame_hdr .data.rel.ro .gnu_debuglink .note.gnu.property .gcc_except_table .tbss .tdata
"""
USUAL = frozenset(_SECTIONS.split())
FEATURES: dict[str, type] = {
    "format": str,
    "machine": str,
    "size": float,
    "entropy": float,
    **{f"bytes {256 // BINS * i} to {256 // BINS * (i + 1) - 1}": float for i in range(BINS)},
    "strings": float,
    "mean length of strings": float,
    "share of strings": float,
    **dict.fromkeys(MARKS, float),
    "sections": float,
    "highest entropy of a section": float,
    "mean entropy of sections": float,
    "sections to write and run": float,
    "sections of unusual name": float,
    "sections without bytes": float,
    "libraries": float,
    "functions imported": float,
    "functions exported": float,
    **dict.fromkeys(CALLS, float),
    "signed": float,
    "library itself": float,
    "resources": float,
    "debug information": float,
    "bytes behind the last section": float,
    "entry outside the first section": float,
    "year of the head": float,
}
"""Features of a file, and whether they are text or numbers; what its format does not have is missing."""
READ = (
    "sections", "highest entropy of a section", "mean entropy of sections", "libraries", "functions imported",
    "functions exported", *CALLS,
)  # fmt: skip
"""Of these, what is 0 where nothing of a head can be read."""


def features_of(path: str) -> dict[str, Any]:
    """Return `FEATURES` of a file; of one larger than 64 MB by its beginning.

    Raises
    ------
    OSError, ValueError
        When it cannot be read, or its head cannot be parsed as that of a PE or ELF file.
    """
    data, size = _read(path)
    return {**dict.fromkeys(FEATURES), **_bytes(data), **_head(data, size), "size": float(size)}


def features_of_bytes(path: str) -> dict[str, Any]:
    """Return what the bytes of a file tell where its head cannot be parsed, which so tells of no section.

    Raises
    ------
    OSError, ValueError
        When it cannot be read, or begins as neither PE nor ELF files do.
    """
    data, size = _read(path)
    head = {"format": f"{_format(data)}, {UNPARSABLE}", "machine": UNPARSABLE, **dict.fromkeys(READ, 0.0)}
    return {**dict.fromkeys(FEATURES), **_bytes(data), **head, "size": float(size)}


def _read(path: str) -> tuple[bytes, int]:
    """Return the first bytes of a file, and how many it has."""
    with open(path, "rb") as file:  # noqa: PTH123  (this module is kept to few imports)
        return file.read(LARGEST), file.seek(0, 2)


def _format(data: bytes) -> str:
    form = next((form for start, form in FORMATS.items() if data.startswith(start)), None)
    if form is None:
        raise ValueError("neither a PE nor an ELF file")
    return form


def _bytes(data: bytes) -> dict[str, Any]:
    values = np.bincount(np.frombuffer(data, dtype=np.uint8), minlength=256).reshape(BINS, -1).sum(axis=1)
    shares = values / max(len(data), 1)
    strings = [match.group() for _, match in zip(range(MOST_STRINGS), STRING.finditer(data), strict=False)]
    long = sum(map(len, strings))
    joined = b"\n".join(strings)
    names = [f"bytes {256 // BINS * i} to {256 // BINS * (i + 1) - 1}" for i in range(BINS)]
    return {
        "entropy": entropy(data),
        **dict(zip(names, shares.tolist(), strict=True)),
        "strings": float(len(strings)),
        "mean length of strings": long / len(strings) if strings else None,
        "share of strings": long / max(len(data), 1),
        **{name: float(len(mark.findall(joined))) for name, mark in MARKS.items()},
    }


def _head(data: bytes, size: int) -> dict[str, Any]:
    lief: Any = importlib.import_module("lief")

    lief.logging.disable()
    parse, features = (lief.PE.parse, _pe) if _format(data) == "PE" else (lief.ELF.parse, _elf)
    binary = parse(data)
    if binary is None or not list(binary.sections):
        raise ValueError("its head is damaged, or tells of no section")
    return features(lief, binary, data, size)


def _pe(lief: Any, binary: Any, data: bytes, size: int) -> dict[str, Any]:
    flags = lief.PE.Section.CHARACTERISTICS
    both = int(flags.MEM_EXECUTE) | int(flags.MEM_WRITE)
    sections = list(binary.sections)
    imports = list(binary.imports)
    names = [_text(entry.name) for library in imports for entry in library.entries if entry.name]
    header = binary.header
    end = max((s.offset + s.size for s in sections), default=0)
    first = sections[0].virtual_address if sections else 0
    entry = binary.optional_header.addressof_entrypoint
    inside = bool(sections) and first <= entry < first + max(sections[0].virtual_size, 1)
    stamp = int(header.time_date_stamps)
    return {
        "format": "PE",
        "machine": str(header.machine).rsplit(".", maxsplit=1)[-1],
        **_sections([(_text(s.name), _content(data, s.offset, s.size)) for s in sections]),
        "sections to write and run": float(sum((int(s.characteristics) & both) == both for s in sections)),
        "libraries": float(len(imports)),
        "functions imported": float(sum(len(library.entries) for library in imports)),
        "functions exported": float(len(binary.get_export().entries)) if binary.has_exports else 0.0,
        **_calls(names),
        "signed": float(binary.has_signatures),
        "library itself": float(bool(int(header.characteristics) & 0x2000)),
        "resources": float(binary.has_resources),
        "debug information": float(binary.has_debug),
        "bytes behind the last section": float(max(size - end, 0)),
        "entry outside the first section": float(not inside),
        "year of the head": 1970 + stamp / (365.25 * 86_400),
    }


def _elf(lief: Any, binary: Any, data: bytes, size: int) -> dict[str, Any]:
    flags = lief.ELF.Section.FLAGS
    sections = [s for s in binary.sections if s.name]
    both = int(flags.WRITE) | int(flags.EXECINSTR)
    held = [s for s in sections if s.type != lief.ELF.Section.TYPE.NOBITS]
    end = max((s.offset + s.size for s in held), default=0)
    return {
        "format": "ELF",
        "machine": str(binary.header.machine_type).rsplit(".", maxsplit=1)[-1],
        **_sections([(_text(s.name), _content(data, s.offset, s.size)) for s in held]),
        "sections to write and run": float(sum((int(s.flags) & both) == both for s in sections)),
        "libraries": float(len(list(binary.libraries))),
        "functions imported": float(len(list(binary.imported_functions))),
        "functions exported": float(len(list(binary.exported_functions))),
        **_calls([_text(function.name) for function in binary.imported_functions]),
        "library itself": float(str(binary.header.file_type).endswith("DYN")),
        "debug information": float(any(_text(s.name).startswith(".debug") for s in sections)),
        "bytes behind the last section": float(max(size - end - 64 * len(sections), 0)),
    }


def _text(name: str | bytes) -> str:
    """Return a name of a head, which is bytes where it is no UTF-8."""
    return name.decode("utf-8", "backslashreplace") if isinstance(name, bytes) else str(name)


def _content(data: bytes, start: int, size: int) -> bytes:
    return data[start : start + size] if 0 <= start <= len(data) else b""


def _sections(sections: Sequence[tuple[str, bytes]]) -> dict[str, Any]:
    entropies = [entropy(content) for _, content in sections if content]
    return {
        "sections": float(len(sections)),
        "highest entropy of a section": max(entropies, default=0.0),
        "mean entropy of sections": math.fsum(entropies) / len(entropies) if entropies else 0.0,
        "sections of unusual name": float(sum(name not in USUAL for name, _ in sections)),
        "sections without bytes": float(sum(not content for _, content in sections)),
    }


def _calls(names: Iterable[str]) -> dict[str, float]:
    plain = [name.lower() for name in names]
    return {
        kind: float(sum(any(word in name for word in words) for name in plain))
        for kind, words in CALLS.items()
    }


def _answer(path: str, *, parse: bool) -> dict[str, Any]:
    """Return the features of a file as `found`, why its head tells nothing as `fault`, or an `error`."""
    fault = ""
    try:
        if parse:
            try:
                return {"found": features_of(path)}
            except Exception as error:  # a hostile head may make a parser raise anything
                fault = _words(error)
        return {"found": features_of_bytes(path), "fault": fault}
    except Exception as error:
        return {"error": _words(error)}


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:200]


def main() -> None:
    """Answer each line of standard input with one of JSON; it holds the arguments of `_answer`."""
    end_with_parent_thread()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_answer(**json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
