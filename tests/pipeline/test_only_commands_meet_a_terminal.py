"""What the product can do is called by a command, a web server or a notebook alike: only commands read arguments, print, set exit
codes and handle signals."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
OF_THE_COMMAND_LINE = ("pipeline/commands/", "pipeline/cli.py", "pipeline/sandbox/command.py")
EXCEPTIONS = {
    "io/delivery/statement_files.py": {"sys.__stdout__"},  # a consumer whose url is stdout: gets its statements there
    "pipeline/log_lines.py": {"sys.stderr"},  # sets up a process that the product has started, as a command or as a worker
    "pipeline/local/worker_process.py": {"signal.signal", "SystemExit"},  # the body of a process, whose parent tells it when to stop
}
FORBIDDEN_NAMES = {"print", "input", "SystemExit", "exit", "quit"}
FORBIDDEN_OF = {
    "sys": {"stdin", "stdout", "stderr", "__stdout__", "__stderr__", "exit", "argv"},
    "signal": {"signal", "sigwait", "set_wakeup_fd"},
}


def found(tree: ast.AST) -> Iterator[str]:
    """What of the terminal a module names, outside of ``if __name__ == "__main__"``."""
    if isinstance(tree, ast.If) and ast.unparse(tree.test) == "__name__ == '__main__'":
        return
    if isinstance(tree, ast.Import):
        yield from (alias.name for alias in tree.names if alias.name == "argparse")
    elif isinstance(tree, ast.ImportFrom) and tree.module in ("argparse", *FORBIDDEN_OF):
        yield from (f"{tree.module}.{alias.name}" for alias in tree.names)
    elif isinstance(tree, ast.Name) and tree.id in FORBIDDEN_NAMES:
        yield tree.id
    elif isinstance(tree, ast.Attribute) and isinstance(tree.value, ast.Name) and tree.attr in FORBIDDEN_OF.get(tree.value.id, ()):
        yield f"{tree.value.id}.{tree.attr}"
    for child in ast.iter_child_nodes(tree):
        yield from found(child)


def test_what_belongs_to_a_terminal_is_found() -> None:
    program = """
import argparse, sys
from sys import stderr
def f():
    print("x", file=sys.stderr)
    raise SystemExit(2)
if __name__ == "__main__":
    sys.exit(f())
"""
    assert list(found(ast.parse(program))) == ["argparse", "sys.stderr", "print", "sys.stderr", "SystemExit"]


def test_only_commands_meet_a_terminal() -> None:
    named = {}
    for floor in ("transforms", "io", "pipeline"):
        for path in sorted((ROOT / floor).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if name.startswith(OF_THE_COMMAND_LINE) or path.name == "__main__.py":
                continue
            if here := set(found(ast.parse(path.read_text(encoding="utf-8")))):
                named[name] = here
    assert named == EXCEPTIONS
