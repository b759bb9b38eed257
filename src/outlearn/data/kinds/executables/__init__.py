"""Executables as rows: static features of files that are never run, read in a process with limits."""

from outlearn.data.kinds.executables.source import FILE, executable_words, open_executables

__all__ = ["FILE", "executable_words", "open_executables"]
