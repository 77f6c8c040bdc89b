"""What functions remember of the values of records: bounded by the number of values, and by their length."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import update_wrapper, wraps
from inspect import signature
from itertools import islice
from typing import Any, TypeVar, cast

LONGEST = 500
"""Characters. A record may hold texts of megabytes; the values that come again and again are short."""

_FunctionT = TypeVar("_FunctionT", bound=Callable[..., Any])


class _Memory(dict[Any, Any]):
    """The results of a function of one value. A look-up of a value that is known costs as much as in a dict."""

    __call__ = dict.__getitem__

    def __init__(self, function: Callable[[Any], Any], most: int) -> None:
        super().__init__()
        self._function, self._most = function, most

    def __missing__(self, value: Hashable) -> Any:
        made = self._function(value)
        if _is_short(value):
            if len(self) >= self._most:  # the older half goes
                for old in list(islice(self, (self._most + 1) // 2)):
                    self.pop(old, None)
            self[value] = made
        return made


def _is_short(value: object) -> bool:
    if isinstance(value, (tuple, frozenset)):
        return all(map(_is_short, value))
    return not isinstance(value, (str, bytes)) or len(value) <= LONGEST


def remembered(most: int) -> Callable[[_FunctionT], _FunctionT]:
    """A function of values that can be hashed, with a memory of ``most`` results. What the function raises is not remembered, and
    neither is a result for a text of more than ``LONGEST`` characters. Equal values are one: 1, 1.0 and true."""

    def decorate(function: _FunctionT) -> _FunctionT:
        if len(signature(function).parameters) == 1:
            return cast("_FunctionT", update_wrapper(_Memory(function, most), function))
        memory = _Memory(lambda values: function(*values), most)

        @wraps(function)
        def looked_up(*values: Any) -> Any:
            return memory[values]

        return cast("_FunctionT", looked_up)

    return decorate
