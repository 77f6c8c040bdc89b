"""What functions remember of the values of records: bounded by the number of values, and by their length."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from functools import update_wrapper, wraps
from inspect import signature
from itertools import islice
from typing import Any, TypeVar, cast

LONGEST = 500
"""Characters. A record may hold texts of megabytes; the values that come again and again are short."""

_FunctionT = TypeVar("_FunctionT", bound=Callable[..., Any])
_Result = TypeVar("_Result")


class _Memory(dict[Any, Any]):
    """The results of a function of one value. A look-up of a value that is known costs as much as in a dict."""

    __call__ = dict.__getitem__

    def __init__(self, function: Callable[[Any], Any], most: int, numbers: bool = True) -> None:
        super().__init__()
        self._function, self._most, self._numbers = function, most, numbers

    def __missing__(self, value: Hashable) -> Any:
        made = self._function(value)
        if self._is_short(value):
            if len(self) >= self._most:  # the older half goes
                for old in list(islice(self, (self._most + 1) // 2)):
                    self.pop(old, None)
            self[value] = made
        return made


    def _is_short(self, value: object) -> bool:
        if isinstance(value, (tuple, frozenset)):
            return all(map(self._is_short, value))
        return len(value) <= LONGEST if isinstance(value, (str, bytes)) else value is None or self._numbers


def memory(function: Callable[[Any], _Result], most: int) -> Mapping[Any, _Result]:
    """The results of a function of one value, by that value: as ``remembered``, for where a call counts."""
    return _Memory(function, most)


def remembered(most: int, numbers: bool = True) -> Callable[[_FunctionT], _FunctionT]:
    """A function of values that can be hashed, with a memory of ``most`` results. What the function raises is not remembered, and
    neither is a result for a text of more than ``LONGEST`` characters. Equal values are one: 1, 1.0 and true. ``numbers``: whether
    results for numbers are remembered; not where a function tells such equal values apart."""

    def decorate(function: _FunctionT) -> _FunctionT:
        if len(signature(function).parameters) == 1:
            return cast("_FunctionT", update_wrapper(_Memory(function, most, numbers), function))
        memory = _Memory(lambda values: function(*values), most, numbers)

        @wraps(function)
        def looked_up(*values: Any) -> Any:
            return memory[values]

        return cast("_FunctionT", looked_up)

    return decorate
