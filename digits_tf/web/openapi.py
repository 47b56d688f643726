"""What the server answers, as OpenAPI 3.1 has it (https://spec.openapis.org/oas/v3.1.0)."""

from typing import Any

_ERROR = {
    "description": "What is wrong, in a line",
    "content": {
        "application/json": {
            "schema": {"type": "object", "properties": {"error": {"type": "string"}}}
        }
    },
}
_DIGIT = {
    "type": "object",
    "properties": {
        "label": {"type": ["integer", "null"], "description": "0 to 9; null: probably no digit"},
        "confidence": {"type": "number", "description": "probability of the likeliest digit, 0..1"},
        "box": {
            "type": "array",
            "items": {"type": "integer"},
            "description": "x, y, width, height in pixels of the picture",
        },
        "probabilities": {"type": "array", "items": {"type": "number"}, "description": "ten"},
        "crop": {
            "type": "string",
            "description": "with ?crops: a PNG in base64, the 28x28 that the network saw",
        },
    },
}
_READING = {
    "type": "object",
    "properties": {
        "text": {"type": "string", "description": "the numbers, line by line"},
        "digits": {"type": "array", "items": _DIGIT},
        "size": {
            "type": "object",
            "properties": {"width": {"type": "integer"}, "height": {"type": "integer"}},
        },
        "ms": {"type": "number", "description": "milliseconds that reading took"},
    },
}
_KEPT = {
    "type": "object",
    "properties": {
        "label": {"type": ["string", "null"], "description": "0 to 9, or x; null: none was there"},
        "kept": {"type": "boolean", "description": "false if it was there already"},
        "count": {"type": "integer", "description": "pictures in the collection"},
    },
}


def _answer(description: str, kind: str, schema: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "description": description,
        "content": {kind: {"schema": schema or {"type": "string"}}},
    }


DESCRIPTION: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {
        "title": "digits_tf",
        "description": "Handwritten digits, found and read in pictures and from a camera.",
        "license": {"name": "MIT", "identifier": "MIT"},
    },
    "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    "security": [{}, {"token": []}],
    "paths": {
        "/read": {
            "post": {
                "summary": "Read the digits of a picture",
                "description": "The body is a picture file of any usual kind, up to 20 MB.",
                "parameters": [
                    {
                        "name": "crops",
                        "in": "query",
                        "allowEmptyValue": True,
                        "schema": {"type": "string"},
                        "description": "also give what the network saw of each digit",
                    }
                ],
                "requestBody": {
                    "required": True,
                    "content": {"image/*": {"schema": {"type": "string", "format": "binary"}}},
                },
                "responses": {
                    "200": _answer("What was read", "application/json", _READING),
                    "408": _ERROR,
                    "413": _ERROR,
                    "422": _ERROR,
                    "503": _ERROR,
                },
            }
        },
        "/teach": {
            "post": {
                "summary": "Put a reading right: keep a crop with its label",
                "description": "The body is a picture of 28x28 pixels, such as a crop of /read.",
                "parameters": [
                    {
                        "name": "label",
                        "in": "query",
                        "required": True,
                        "schema": {"type": "string"},
                        "description": "0 to 9, or x for no digit",
                    }
                ],
                "requestBody": {
                    "required": True,
                    "content": {"image/*": {"schema": {"type": "string", "format": "binary"}}},
                },
                "responses": {
                    "200": _answer("What is kept", "application/json", _KEPT),
                    "404": _ERROR,
                    "413": _ERROR,
                    "422": _ERROR,
                },
            },
            "delete": {
                "summary": "Take the newest picture out of the collection again",
                "responses": {
                    "200": _answer("What was taken out", "application/json", _KEPT),
                    "404": _ERROR,
                },
            },
        },
        "/events": {
            "get": {
                "summary": "Follow the live view's readings as server-sent events; ?crops as /read",
                "responses": {
                    "200": _answer("An event a frame, JSON as of /read", "text/event-stream"),
                    "404": _ERROR,
                    "503": _ERROR,
                },
            }
        },
        "/video": {
            "get": {
                "summary": "Watch the live view as motion JPEG, readings drawn on it",
                "responses": {
                    "200": _answer("A JPEG a frame", "multipart/x-mixed-replace"),
                    "404": _ERROR,
                    "503": _ERROR,
                },
            }
        },
        "/health": {
            "get": {
                "summary": "Whether the server runs, and what it shows",
                "responses": {"200": _answer("Its state", "application/json", {"type": "object"})},
            }
        },
    },
}
