"""A validator for the part of JSON Schema that docs/schema uses. A keyword that it does not know is
an error, so that no rule of a schema goes unchecked."""

TYPES = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
}


def _type(value, wanted, _schema):
    if not any(TYPES[name](value) for name in ([wanted] if isinstance(wanted, str) else wanted)):
        yield "", f"is not of type {wanted}"


def _required(value, names, _schema):
    if isinstance(value, dict):
        yield from (("", f"lacks {name}") for name in names if name not in value)


def _minimum(value, limit, _schema):
    if TYPES["number"](value) and value < limit:
        yield "", f"is below {limit}"


def _maximum(value, limit, _schema):
    if TYPES["number"](value) and value > limit:
        yield "", f"is above {limit}"


def _min_items(value, limit, _schema):
    if isinstance(value, list) and len(value) < limit:
        yield "", f"has fewer than {limit} items"


def _max_items(value, limit, _schema):
    if isinstance(value, list) and len(value) > limit:
        yield "", f"has more than {limit} items"


def _const(value, wanted, _schema):
    if value != wanted:
        yield "", f"is not {wanted!r}"


def _enum(value, wanted, _schema):
    if value not in wanted:
        yield "", f"is none of {wanted}"


SIMPLE = {
    "type": _type, "required": _required, "minimum": _minimum, "maximum": _maximum,
    "minItems": _min_items, "maxItems": _max_items, "const": _const, "enum": _enum,
}
SILENT = {"$schema", "$defs", "title", "description"}


def _children(value, schema):
    """(step, value, its schema) for all that lies in an object or array."""
    if isinstance(value, dict):
        named = schema.get("properties", {})
        for key, member in value.items():
            rule = named.get(key, schema.get("additionalProperties"))
            if rule is not None:
                yield f".{key}", member, rule
    elif isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            yield f"[{index}]", item, schema["items"]


def violations(value, schema, root=None, path="$"):
    """All of them, one sentence each."""
    root = schema if root is None else root
    for keyword, argument in schema.items():
        if keyword in SIMPLE:
            for step, text in SIMPLE[keyword](value, argument, schema):
                yield f"{path}{step} {text}"
        elif keyword == "$ref":
            target = root
            for step in argument.removeprefix("#/").split("/"):
                target = target[step]
            yield from violations(value, target, root, path)
        elif keyword == "anyOf":
            tries = [list(violations(value, choice, root, path)) for choice in argument]
            if all(tries):
                yield min(tries, key=len)[0]
        elif keyword not in SILENT | {"properties", "additionalProperties", "items"}:
            raise ValueError(f"{path}: unknown keyword {keyword}")
    for step, member, rule in _children(value, schema):
        yield from violations(member, rule, root, path + step)
