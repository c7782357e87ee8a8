#include "server/openapi.h"

namespace fathom::server::openapi {

const char* const kResponsesSchemas = R"json(
"ItemContent": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "object", "required": ["type", "text"], "properties": {
  "type": {"enum": ["input_text", "output_text", "text"]}, "text": {"type": "string"}}}}]},
"Item": {"description": "Also items of type reasoning, which are passed over", "anyOf": [
  {"type": "object", "required": ["role", "content"], "properties": {"type": {"enum": ["message", null]},
    "role": {"enum": ["user", "assistant", "system", "developer"]}, "content": {"$ref": "#/components/schemas/ItemContent"}}},
  {"type": "object", "required": ["type", "call_id", "name", "arguments"], "properties": {"type": {"const": "function_call"},
    "call_id": {"type": "string"}, "name": {"type": "string"}, "arguments": {"type": "string"}}},
  {"type": "object", "required": ["type", "call_id", "output"], "properties": {"type": {"const": "function_call_output"},
    "call_id": {"type": "string"}, "output": {"$ref": "#/components/schemas/ItemContent"}}}]},
"ResponsesTool": {"anyOf": [
  {"type": "object", "required": ["type", "name"], "properties": {"type": {"const": "function"},
    "name": {"$ref": "#/components/schemas/ToolName"}, "description": {"$ref": "#/components/schemas/Text"},
    "parameters": {"type": ["object", "null"]}, "strict": {"enum": [false, null]}}},
  {"type": "object", "required": ["type", "name", "strict"], "properties": {"type": {"const": "function"},
    "name": {"$ref": "#/components/schemas/ToolName"}, "description": {"$ref": "#/components/schemas/Text"},
    "parameters": {"$ref": "#/components/schemas/StrictParameters"}, "strict": {"const": true}}}]},
"ResponsesFormat": {"anyOf": [{"type": "null"},
  {"type": "object", "required": ["type"], "properties": {"type": {"enum": ["text", "json_object"]}}},
  {"allOf": [{"type": "object", "required": ["type"], "properties": {"type": {"const": "json_schema"}}},
    {"$ref": "#/components/schemas/SchemaFormat"}]}]},
"ResponsesRequest": {"type": "object", "required": ["model", "input"], "properties": {
  "model": {"$ref": "#/components/schemas/ModelName"},
  "input": {"anyOf": [{"type": "string"}, {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Item"}}]},
  "instructions": {"$ref": "#/components/schemas/Text"}, "max_output_tokens": {"$ref": "#/components/schemas/Count"},
  "temperature": {"$ref": "#/components/schemas/Temperature"}, "top_p": {"$ref": "#/components/schemas/Share"},
  "top_logprobs": {"$ref": "#/components/schemas/Alternatives"},
  "include": {"type": ["array", "null"], "items": {"type": "string"}},
  "metadata": {"type": ["object", "null"]}, "store": {"$ref": "#/components/schemas/Flag"},
  "stream": {"$ref": "#/components/schemas/Flag"}, "parallel_tool_calls": {"$ref": "#/components/schemas/Flag"},
  "previous_response_id": {"type": "null", "description": "Nothing is kept here: send the whole conversation"},
  "background": {"enum": [false, null]}, "truncation": {"enum": ["disabled", null]},
  "reasoning": {"type": ["object", "null"], "properties": {"effort": {"$ref": "#/components/schemas/Text"}, "summary": {"$ref": "#/components/schemas/Text"}}},
  "text": {"type": ["object", "null"], "properties": {"format": {"$ref": "#/components/schemas/ResponsesFormat"}}},
  "tools": {"type": ["array", "null"], {{MOST_TOOLS}}"items": {"$ref": "#/components/schemas/ResponsesTool"}},
  "tool_choice": {"enum": ["none", "auto", null],
    "description": "With tools also \"required\", {\"type\": \"function\", \"name\": one of them} and allowed_tools: then a call is forced."}}},
"ResponsesAnswer": {"type": "object", "required": ["id", "object", "created_at", "status", "model", "output", "usage"], "properties": {
  "id": {"type": "string"}, "object": {"const": "response"}, "created_at": {"type": "integer"}, "model": {"type": "string"},
  "status": {"enum": ["completed", "incomplete"]}, "incomplete_details": {"type": ["object", "null"]},
  "output": {"type": "array", "minItems": 1, "items": {"type": "object", "required": ["id", "type", "status"], "properties": {
    "type": {"enum": ["message", "reasoning", "function_call"]}}}},
  "usage": {"type": "object", "required": ["input_tokens", "output_tokens", "total_tokens"]}}}
)json";

}  // namespace fathom::server::openapi
