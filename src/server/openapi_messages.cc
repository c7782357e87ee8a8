#include "server/openapi.h"

namespace fathom::server::openapi {

const char* const kMessageSchemas = R"json(
"UserBlock": {"anyOf": [{"$ref": "#/components/schemas/TextPart"},
  {"type": "object", "required": ["type", "tool_use_id"], "properties": {
    "type": {"const": "tool_result"}, "tool_use_id": {"type": "string"},
    "content": {"anyOf": [{"type": "null"}, {"$ref": "#/components/schemas/Content"}]}}}]},
"AssistantBlock": {"anyOf": [{"$ref": "#/components/schemas/TextPart"},
  {"type": "object", "required": ["type"], "properties": {"type": {"enum": ["thinking", "redacted_thinking"]}}},
  {"type": "object", "required": ["type", "id", "name"], "properties": {
    "type": {"const": "tool_use"}, "id": {"type": "string"}, "name": {"type": "string"}, "input": {"type": ["object", "null"]}}}]},
"Turn": {"anyOf": [
  {"type": "object", "required": ["role", "content"], "properties": {"role": {"const": "user"},
    "content": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"$ref": "#/components/schemas/UserBlock"}}]}}},
  {"type": "object", "required": ["role", "content"], "properties": {"role": {"const": "assistant"},
    "content": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"$ref": "#/components/schemas/AssistantBlock"}}]}}}]},
"MessageTool": {"anyOf": [
  {"type": "object", "required": ["name"], "properties": {
    "name": {"$ref": "#/components/schemas/ToolName"}, "type": {"enum": ["custom", null]}, "description": {"$ref": "#/components/schemas/Text"},
    "input_schema": {"type": ["object", "null"]}, "strict": {"enum": [false, null]}}},
  {"type": "object", "required": ["name", "strict"], "properties": {
    "name": {"$ref": "#/components/schemas/ToolName"}, "type": {"enum": ["custom", null]}, "description": {"$ref": "#/components/schemas/Text"},
    "input_schema": {"$ref": "#/components/schemas/StrictParameters"}, "strict": {"const": true}}}]},
"MessagesParts": {"type": "object", "required": ["model", "messages"], "properties": {
  "model": {"type": "string", "description": "Names that do not exist stand for the model there is"},
  "messages": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Turn"}},
  "system": {"anyOf": [{"type": "null"}, {"$ref": "#/components/schemas/Content"}]},
  "temperature": {"$ref": "#/components/schemas/Temperature"}, "top_p": {"$ref": "#/components/schemas/Share"},
  "top_k": {"type": ["integer", "null"], "minimum": 0, "maximum": 9007199254740991, "description": "Ignored"},
  "stop_sequences": {"$ref": "#/components/schemas/Stop"},
  "thinking": {"type": ["object", "null"], "required": ["type"], "properties": {
    "type": {"type": "string", "enum": {{MODES}}}, "budget_tokens": {"$ref": "#/components/schemas/Count"}}},
  "tools": {"type": ["array", "null"], {{MOST_TOOLS}}"items": {"$ref": "#/components/schemas/MessageTool"}},
  "tool_choice": {"type": ["object", "null"], "required": ["type"],
    "description": "With tools also {\"type\": \"any\"} and {\"type\": \"tool\", \"name\": one of them}: then a call is forced.",
    "properties": {"type": {"enum": ["auto", "none"]}, "disable_parallel_tool_use": {"$ref": "#/components/schemas/Flag"}}},
  "fathom": {"$ref": "#/components/schemas/Extension"}}},
"CountRequest": {"$ref": "#/components/schemas/MessagesParts"},
"MessagesRequest": {"allOf": [{"$ref": "#/components/schemas/MessagesParts"},
  {"type": "object", "required": ["max_tokens"], "properties": {
    "max_tokens": {"type": "integer", "minimum": 1, "maximum": 9007199254740991}, "stream": {"$ref": "#/components/schemas/Flag"}}}]},
"MessagesAnswer": {"type": "object", "required": ["id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "usage"], "properties": {
  "id": {"type": "string"}, "type": {"const": "message"}, "role": {"const": "assistant"}, "model": {"type": "string"},
  "content": {"type": "array", "minItems": 1, "items": {"type": "object", "required": ["type"], "properties": {
    "type": {"enum": ["thinking", "text", "tool_use"]}}}},
  "stop_reason": {"enum": ["end_turn", "max_tokens", "stop_sequence", "tool_use"]}, "stop_sequence": {"type": ["string", "null"]},
  "usage": {"type": "object", "required": ["input_tokens", "output_tokens"], "properties": {
    "input_tokens": {"type": "integer"}, "output_tokens": {"type": "integer"}, "cache_read_input_tokens": {"type": "integer"},
    "cache_creation_input_tokens": {"type": "integer"}}}}},
"MessagesErrorBody": {"type": "object", "required": ["type", "error"], "properties": {"type": {"const": "error"},
  "error": {"type": "object", "required": ["type", "message"], "properties": {"type": {"type": "string"}, "message": {"type": "string"}}}}}
)json";

}  // namespace fathom::server::openapi
