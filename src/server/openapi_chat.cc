#include "server/openapi.h"

namespace fathom::server::openapi {

const char* const kChatSchemas = R"json(
"ModelName": {"type": "string", "enum": {{MODELS}}},
"Token": {"type": "integer", "minimum": 0, "maximum": {{LAST_TOKEN}}},
"ModelToken": {"type": "integer", "minimum": 0, "maximum": {{LAST_ID}}, "description": "Also one that stands for no text"},
"Count": {"type": ["integer", "null"], "minimum": 1, "maximum": 9007199254740991},
"Flag": {"type": ["boolean", "null"]},
"Text": {"type": ["string", "null"]},
"Temperature": {"type": ["number", "null"], "minimum": 0, "maximum": 2},
"Share": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
"Penalty": {"type": ["number", "null"], "minimum": -2, "maximum": 2},
"Repetition": {"type": ["number", "null"], "minimum": 0.01, "maximum": 100},
"TopK": {"type": ["integer", "null"], "minimum": -1, "maximum": 9007199254740991},
"Seed": {"type": ["integer", "null"], "minimum": -9223372036854775808, "maximum": 9223372036854775807},
"Choices": {"type": ["integer", "null"], "minimum": 1, "maximum": 128},
"Alternatives": {"type": ["integer", "null"], "minimum": 0, "maximum": 20},
"LogitBias": {"type": ["object", "null"], "description": "By token id",
  "propertyNames": {"pattern": "{{ID_PATTERN}}"}, "additionalProperties": {"type": "number", "minimum": -100, "maximum": 100}},
"Stop": {"anyOf": [{"type": "null"}, {"type": "string"}, {"type": "array", "maxItems": 16, "items": {"type": "string"}}]},
"Extension": {"type": ["object", "null"], "properties": {"experts": {"$ref": "#/components/schemas/Flag"}}},
"ToolName": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
"TextPart": {"type": "object", "required": ["type", "text"], "properties": {"type": {"const": "text"}, "text": {"type": "string"}}},
"Content": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"$ref": "#/components/schemas/TextPart"}}]},
"Call": {"type": "object", "required": ["function"], "properties": {
  "id": {"$ref": "#/components/schemas/Text"}, "type": {"enum": ["function", null]},
  "function": {"type": "object", "required": ["name", "arguments"], "properties": {"name": {"type": "string"}, "arguments": {"type": "string"}}}}},
"Message": {"anyOf": [
  {"type": "object", "required": ["role", "content"], "properties": {
    "role": {"enum": ["system", "developer", "user"]}, "content": {"$ref": "#/components/schemas/Content"}, "name": {"$ref": "#/components/schemas/Text"}}},
  {"type": "object", "required": ["role"], "properties": {
    "role": {"const": "assistant"}, "content": {"anyOf": [{"type": "null"}, {"$ref": "#/components/schemas/Content"}]},
    "name": {"$ref": "#/components/schemas/Text"}, "reasoning_content": {"$ref": "#/components/schemas/Text"},
    "prefix": {"type": ["boolean", "null"], "description": "On the last message: go on with it"},
    "tool_calls": {"type": ["array", "null"], "items": {"$ref": "#/components/schemas/Call"}}}},
  {"type": "object", "required": ["role", "content", "tool_call_id"], "properties": {
    "role": {"const": "tool"}, "content": {"$ref": "#/components/schemas/Content"}, "name": {"$ref": "#/components/schemas/Text"},
    "tool_call_id": {"type": "string"}}}]},
"StrictSchema": {"type": "object", "additionalProperties": false, "required": ["type", "additionalProperties"],
  "description": "A JSON schema whose objects require all their properties and allow no others. Types, enum, const, anyOf, $ref with $defs, pattern, format, items, minItems, maxItems, minimum, maximum, exclusiveMinimum, exclusiveMaximum and multipleOf are enforced; any other keyword is refused with its name.",
  "properties": {"type": {"const": "object"}, "properties": {"type": "object", "maxProperties": 0},
    "required": {"type": "array", "maxItems": 0, "items": {"type": "string"}}, "additionalProperties": {"const": false}}},
"StrictParameters": {"anyOf": [{"type": "null"}, {"$ref": "#/components/schemas/StrictSchema"}]},
"Function": {"anyOf": [
  {"type": "object", "required": ["name"], "properties": {
    "name": {"$ref": "#/components/schemas/ToolName"}, "description": {"$ref": "#/components/schemas/Text"},
    "parameters": {"type": ["object", "null"], "description": "A JSON schema"}, "strict": {"enum": [false, null]}}},
  {"type": "object", "required": ["name", "strict"], "properties": {
    "name": {"$ref": "#/components/schemas/ToolName"}, "description": {"$ref": "#/components/schemas/Text"},
    "parameters": {"$ref": "#/components/schemas/StrictParameters"}, "strict": {"const": true}}}]},
"Tool": {"type": "object", "required": ["type", "function"], "properties": {
  "type": {"const": "function"}, "function": {"$ref": "#/components/schemas/Function"}}},
"Tools": {"type": ["array", "null"], {{MOST_TOOLS}}"items": {"$ref": "#/components/schemas/Tool"}},
"ToolChoice": {"enum": ["none", "auto", null],
  "description": "With tools also \"required\" and {\"type\": \"function\", \"function\": {\"name\": one of them}}, or {\"type\": \"allowed_tools\", \"allowed_tools\": {\"mode\", \"tools\"}}: then a call is forced."},
"SchemaType": {"enum": ["object", "array", "string", "number", "integer", "boolean", "null"]},
"InnerSchema": {"type": ["object", "boolean"], "description": "As LooseSchema, or true or false"},
"LooseSchema": {"type": "object",
  "description": "A JSON schema. Keywords that cannot be enforced, and schemas that no value satisfies, are refused with the keyword's name; keywords that JSON Schema does not know are passed over.",
  "properties": {
    "type": {"anyOf": [{"$ref": "#/components/schemas/SchemaType"},
      {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/SchemaType"}}]},
    "properties": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/InnerSchema"}},
    "additionalProperties": {"$ref": "#/components/schemas/InnerSchema"}, "items": {"$ref": "#/components/schemas/InnerSchema"}}},
"SchemaFormat": {"anyOf": [
  {"type": "object", "required": ["name", "schema"], "properties": {
    "name": {"$ref": "#/components/schemas/ToolName"}, "description": {"$ref": "#/components/schemas/Text"}, "strict": {"enum": [false, null]},
    "schema": {"$ref": "#/components/schemas/LooseSchema"}}},
  {"type": "object", "required": ["name", "schema"], "properties": {
    "name": {"$ref": "#/components/schemas/ToolName"}, "description": {"$ref": "#/components/schemas/Text"},
    "strict": {"$ref": "#/components/schemas/Flag"}, "schema": {"$ref": "#/components/schemas/StrictSchema"}}}]},
"ResponseFormat": {"anyOf": [{"type": "null"},
  {"type": "object", "required": ["type"], "properties": {"type": {"enum": ["text", "json_object"]}}},
  {"type": "object", "required": ["type", "json_schema"], "properties": {
    "type": {"const": "json_schema"}, "json_schema": {"$ref": "#/components/schemas/SchemaFormat"}}}]},
"Thinking": {"type": ["object", "null"], "required": ["type"], "properties": {
  "type": {"type": "string", "enum": {{MODES}}}, "budget_tokens": {"$ref": "#/components/schemas/Count"}}},
"StreamOptions": {"type": "object", "properties": {"include_usage": {"$ref": "#/components/schemas/Flag"}}},
"StreamPart": {"anyOf": [
  {"type": "object", "properties": {"stream": {"$ref": "#/components/schemas/Flag"}, "stream_options": {"type": "null"}}},
  {"type": "object", "required": ["stream", "stream_options"], "properties": {
    "stream": {"const": true}, "stream_options": {"$ref": "#/components/schemas/StreamOptions"}}}]},
"LogprobsPart": {"anyOf": [
  {"type": "object", "properties": {"logprobs": {"$ref": "#/components/schemas/Flag"}, "top_logprobs": {"type": "null"}}},
  {"type": "object", "required": ["logprobs", "top_logprobs"], "properties": {
    "logprobs": {"const": true}, "top_logprobs": {"$ref": "#/components/schemas/Alternatives"}}}]},
"ChatRequest": {"allOf": [{"$ref": "#/components/schemas/StreamPart"}, {"$ref": "#/components/schemas/LogprobsPart"},
  {"type": "object", "required": ["model", "messages"], "properties": {
  "model": {"$ref": "#/components/schemas/ModelName"},
  "messages": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Message"}},
  "temperature": {"$ref": "#/components/schemas/Temperature"}, "top_p": {"$ref": "#/components/schemas/Share"},
  "top_k": {"$ref": "#/components/schemas/TopK"}, "min_p": {"$ref": "#/components/schemas/Share"},
  "presence_penalty": {"$ref": "#/components/schemas/Penalty"}, "frequency_penalty": {"$ref": "#/components/schemas/Penalty"},
  "repetition_penalty": {"$ref": "#/components/schemas/Repetition"}, "logit_bias": {"$ref": "#/components/schemas/LogitBias"},
  "seed": {"$ref": "#/components/schemas/Seed"}, "n": {"$ref": "#/components/schemas/Choices"},
  "max_tokens": {"$ref": "#/components/schemas/Count"}, "max_completion_tokens": {"$ref": "#/components/schemas/Count"},
  "max_thinking_tokens": {"$ref": "#/components/schemas/Count"}, "stop": {"$ref": "#/components/schemas/Stop"},
  "response_format": {"$ref": "#/components/schemas/ResponseFormat"}, "thinking": {"$ref": "#/components/schemas/Thinking"},
  "tools": {"$ref": "#/components/schemas/Tools"}, "tool_choice": {"$ref": "#/components/schemas/ToolChoice"},
  "parallel_tool_calls": {"$ref": "#/components/schemas/Flag"}, "fathom": {"$ref": "#/components/schemas/Extension"}}}]},
"Usage": {"type": "object", "required": ["prompt_tokens", "completion_tokens", "total_tokens", "prompt_cache_hit_tokens", "prompt_cache_miss_tokens"],
  "properties": {"prompt_tokens": {"type": "integer"}, "completion_tokens": {"type": "integer"}, "total_tokens": {"type": "integer"},
    "prompt_cache_hit_tokens": {"type": "integer"}, "prompt_cache_miss_tokens": {"type": "integer"}}},
"ChatAnswer": {"type": "object", "required": ["id", "object", "created", "model", "choices", "usage"], "properties": {
  "id": {"type": "string"}, "object": {"const": "chat.completion"}, "created": {"type": "integer"}, "model": {"type": "string"},
  "system_fingerprint": {"type": "string"}, "usage": {"$ref": "#/components/schemas/Usage"},
  "choices": {"type": "array", "minItems": 1, "items": {"type": "object", "required": ["index", "message", "finish_reason"], "properties": {
    "index": {"type": "integer"}, "finish_reason": {"enum": ["stop", "length", "tool_calls"]}, "logprobs": {"type": ["object", "null"]},
    "message": {"type": "object", "required": ["role", "content"], "properties": {
      "role": {"const": "assistant"}, "content": {"type": ["string", "null"]}, "reasoning_content": {"type": "string"},
      "tool_calls": {"type": "array", "minItems": 1, "items": {"type": "object", "required": ["id", "type", "function"]}}}}}}}}}
)json";

}  // namespace fathom::server::openapi
