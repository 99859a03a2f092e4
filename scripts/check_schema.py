#!/usr/bin/env python3
"""Checks result files against docs/result.schema.json, comparisons against docs/comparison.schema.json, plans against
docs/plan.schema.json, and records of the doctor against docs/doctor.schema.json.

    scripts/check_schema.py RESULT.json... RESULT.jsonl... COMPARISON.json... PLAN.json... DOCTOR.json...

Prints every fault with its JSON pointer. Exit 0: all files conform; 1: some do not; 77: python3-jsonschema is missing.
"""

import functools
import json
import pathlib
import sys

try:
    import jsonschema
except ImportError:
    print("python3-jsonschema is missing (Debian and Ubuntu: apt-get install python3-jsonschema)", file=sys.stderr)
    sys.exit(77)

DOCS = pathlib.Path(__file__).resolve().parent.parent / "docs"


def refuse_constant(name):
    raise ValueError(f"{name} is not JSON")


def parse(text):
    """Python takes NaN and Infinity for numbers; JSON does not know them."""
    return json.loads(text, parse_constant=refuse_constant)


@functools.cache
def load_schema(kind="result"):
    schema = json.loads((DOCS / f"{kind}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return schema


def faults_of(document, schema, definition=None):
    """One line for each fault of `document` against the schema, or against one of its definitions."""
    if definition:
        schema = {"$ref": f"#/$defs/{definition}", "$defs": schema["$defs"]}
    validator = jsonschema.Draft202012Validator(schema)
    for error in sorted(validator.iter_errors(document), key=lambda error: list(map(str, error.absolute_path))):
        yield "/" + "/".join(map(str, error.absolute_path)) + ": " + error.message[:200]


def kind_of(document):
    """Whatever does not call itself anything else should be a result."""
    head = document.get("schema") if isinstance(document, dict) else None
    name = head.get("name") if isinstance(head, dict) else None
    return {"cpbench.comparison": "comparison", "cpbench.plan": "plan", "cpbench.doctor": "doctor"}.get(name, "result")


def faults_of_file(path):
    text = path.read_text(encoding="utf-8")
    try:
        if path.suffix != ".jsonl":
            document = parse(text)
            yield from faults_of(document, load_schema(kind_of(document)))
            return
        for number, line in enumerate(text.splitlines(), start=1):
            for fault in faults_of(parse(line), load_schema(), "header" if number == 1 else "point"):
                yield f"line {number}: {fault}"
    except ValueError as error:
        yield f"not JSON: {error}"


def main(names):
    if not names:
        sys.exit(__doc__)
    conform = True
    for name in names:
        for fault in faults_of_file(pathlib.Path(name)):
            conform = False
            print(f"{name}: {fault}")
    sys.exit(0 if conform else 1)


if __name__ == "__main__":
    main(sys.argv[1:])
