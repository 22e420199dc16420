"""Validates meter records against a JSON Schema.

    check_records.py SCHEMA < records

Each line of the input is a record as a JSON object. Fields that the schema does not describe are
errors here, and so is a changed record that it does not refuse. Prints {"valid", "changed"}.
"""

import json
import sys

from jsonschema import Draft202012Validator


def undescribed(schema, record):
    return sorted(set(record) - set(schema["$defs"]["record"]["properties"]))


def changed(record):
    """The record with one mistake each."""
    for name in ("record_id", "account_id", "model", "seq", "end", "bytes_out"):
        yield {key: value for key, value in record.items() if key != name}
    for name, value in (
        ("v", "2"), ("record_id", "a b"), ("account_id", ""), ("bytes_out", "-1"), ("seq", "0"),
        ("input_tokens", "01"), ("duration_ms", "1.5"), ("end", "done"), ("sla_excluded", "2"),
        ("coding", "zstd"), ("in_flight", "5"), ("seq", 5),
    ):
        yield record | {name: value}
    if record["end"] != "interval" and "usage_source" in record:
        yield record | {"end": "interval"}
        yield record | {"estimated": "1" if record["estimated"] == "0" else "0"}


def main():
    with open(sys.argv[1]) as file:
        schema = json.load(file)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    valid = refused = 0
    for line in sys.stdin:
        record = json.loads(line)
        for error in validator.iter_errors(record):
            sys.exit(f"{record}: {error.json_path}: {error.message}")
        if names := undescribed(schema, record):
            sys.exit(f"{record}: not described: {names}")
        valid += 1
        for wrong in changed(record):
            if validator.is_valid(wrong):
                sys.exit(f"not refused: {wrong}")
            refused += 1
    notice = {"v": "1", "gateway": "g", "epoch": "1", "seq": "4", "lost": "damaged"}
    if not validator.is_valid(notice) or validator.is_valid(notice | {"seq": ""}):
        sys.exit("the notice of a lost record is not judged")
    print(json.dumps({"valid": valid, "changed": refused}))


if __name__ == "__main__":
    main()
