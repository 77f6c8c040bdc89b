"""What a table means: a plain interpreter of rows, the specification of ``transforms.mapping.row_compiler``.

``tests/transforms/mapping/test_evaluate.py`` checks that the compiled functions print the same statements.
"""

from __future__ import annotations

import re
from typing import Any

import orjson

from edx2lrs.transforms.mapping.guard import Invalid
from edx2lrs.transforms.mapping.row_compiler import OBJECT_ID, Identity, Options
from edx2lrs.transforms.mapping.rows import Constant, Row, Rows, Scope, Unmappable, of_dialect, value_at


def evaluate(rows: Rows, scope: Scope, identity: Identity, options: Options) -> dict[str, Any]:
    """The statement that ``rows`` make of ``scope``, as an object. If two rows have the same destination, the later row wins. A value
    that cannot be used is left out, unless the row is required. Raises Unmappable and guard.Invalid."""
    statement: dict[str, Any] = {}
    of_it = of_dialect(rows, options.translation.dialect)
    kept = (row for row in of_it if isinstance(row, Constant) or row.free_text not in options.translation.redact)
    for row in {row.destination: row for row in kept}.values():
        required = isinstance(row, Row) and (row.required or row.destination == ("object", "id"))
        try:
            value = row.value if isinstance(row, Constant) else _value(row, scope, options, statement)
        except (Unmappable, Invalid) as fault:
            if (required and fault.instead is None) or fault.cause == "unfit_for_aspects":
                raise
            value = fault.instead
        if value is not None:
            *above, last = row.destination
            place = statement
            for key in above:
                place = place.setdefault(key, {})
            place[last] = value
        elif isinstance(row, Row) and required:
            raise Unmappable(f"{' or '.join(row.sources)} is missing; {'.'.join(row.destination)} needs it", "missing")

    def in_name(found: re.Match[str]) -> str:
        if found[1] == "time" and identity.time is not None:
            return identity.time(scope.event.time or "")
        return str(statement["object"]["id"] if found[1] == "object.id" else value_at(found[1], scope, options.site))

    identify = identity.identify(scope.part_key) if identity.by_key else identity.identify
    id_ = identify(re.sub(r"\{(.+?)\}", in_name, identity.name))
    return {"id": identity.prefix + id_, **statement, **options.translation.override_args}


def _value(row: Row, scope: Scope, options: Options, statement: dict[str, Any]) -> Any:
    """The value of a row; None if the row's destination is left out. ``statement``: what the rows before made."""
    values = [statement["object"]["id"] if path == OBJECT_ID else value_at(path, scope, options.site) for path in row.sources]
    if isinstance(row.source, str) and (values[0] is None or values[0] == ""):
        return None
    made = values[0] if row.function is None else row.function(*values)
    check = options.checks.get(row.destination)
    if check is not None and made is not None and not isinstance(made, bytes):
        made = check(made)
    return orjson.loads(made) if isinstance(made, bytes) else made  # bytes are finished JSON
