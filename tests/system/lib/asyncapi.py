# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""config/asyncapi.yaml as the judge of what a school publishes: those words of JSON Schema that it uses, and no others."""

import re
from datetime import datetime
from pathlib import Path

import yaml

DOCUMENT = Path(__file__).resolve().parents[3] / "config" / "asyncapi.yaml"
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "null": type(None)}
WORDS = {"$ref", "type", "enum", "const", "oneOf", "pattern", "minLength", "maxLength", "minimum", "format", "required", "properties", "items",
         "maxItems", "description"}


def is_type(value, name: str) -> bool:
    return isinstance(value, TYPES[name]) and not (name == "integer" and isinstance(value, bool))


class Contract:
    def __init__(self, document: Path = DOCUMENT):
        self.document = yaml.safe_load(document.read_text(encoding="utf-8"))
        self.messages = self.document["components"]["messages"]

    def resolve(self, schema: dict) -> dict:
        while "$ref" in schema:
            found = self.document
            for step in schema["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            schema = found
        return schema

    def faults(self, schema: dict, value, where: str = "") -> list[str]:
        """What is wrong with a value, each with its place."""
        schema = self.resolve(schema)
        if unknown := set(schema) - WORDS:
            raise ValueError(f"asyncapi.yaml uses {', '.join(sorted(unknown))}, which this test does not know")
        found = []
        if "oneOf" in schema and sum(not self.faults(one, value, where) for one in schema["oneOf"]) != 1:
            found.append("is not one of what it may be")
        if "type" in schema:
            names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
            if not any(is_type(value, name) for name in names):
                return [f"{where}: {value!r} is no {' or '.join(names)}"]
        if "enum" in schema and value not in schema["enum"]:
            found.append(f"is none of {schema['enum']}")
        if "const" in schema and value != schema["const"]:
            found.append(f"is not {schema['const']}")
        if isinstance(value, str):
            found += self.of_text(schema, value)
        if isinstance(value, int) and value < schema.get("minimum", value):
            found.append("is too small")
        found = [f"{where}: {value!r} {fault}" for fault in found]
        if isinstance(value, dict):
            found += [f"{where}/{name} is missing" for name in schema.get("required", []) if name not in value]
            for name, inner in schema.get("properties", {}).items():
                found += self.faults(inner, value[name], f"{where}/{name}") if name in value else []
        if isinstance(value, list):
            if len(value) > schema.get("maxItems", len(value)):
                found.append(f"{where}: more than {schema['maxItems']}")
            for number, item in enumerate(value):
                found += self.faults(schema.get("items", {}), item, f"{where}/{number}")
        return found

    @staticmethod
    def of_text(schema: dict, value: str) -> list[str]:
        found = []
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
            found.append("is too short or too long")
        if "pattern" in schema and not re.search(schema["pattern"], value):
            found.append(f"does not match {schema['pattern']}")
        if schema.get("format") == "date-time":
            try:
                if datetime.fromisoformat(value).tzinfo is None:
                    found.append("has no offset")
            except ValueError:
                found.append("is no instant")
        return found

    def undescribed(self, value: dict, message: str) -> set[str]:
        """Members at the top that the document does not name: to be added, or to be kept in the school."""
        payload = self.resolve(self.messages[message]["payload"])
        named = set()
        for schema in payload.get("oneOf", [payload]):
            named |= self.resolve(schema).get("properties", {}).keys()
        return value.keys() - named

    def judge(self, topic: str, value: dict) -> list[str]:
        """What is wrong with a message that was published; of a topic that the document does not know, that."""
        parts = topic.split("/")
        if parts[:2] != ["schultor", "1"] or parts[3:4] not in (["state"], ["telemetry"], ["event"]):
            return [f"{topic} is no topic of the document"]
        message = parts[3]
        if message == "event" and value.get("kind") != parts[4]:
            return [f"{topic} carries an event of the kind {value.get('kind')}"]
        found = self.faults(self.messages[message]["payload"], value)
        return found + [f"{name} is not described" for name in sorted(self.undescribed(value, message))]
