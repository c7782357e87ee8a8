#include "server/openapi.h"

namespace fathom::server::openapi {

const char* const kOtherSchemas = R"json(
"Ids": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/ModelToken"}},
"AnswersPart": {"description": "At most 1024 answers at once", "anyOf": [
  {"type": "object", "properties": {"n": {"type": ["integer", "null"], "minimum": 1, "maximum": 4}}},
  {"type": "object", "properties": {"n": {"$ref": "#/components/schemas/Choices"},
    "prompt": {"anyOf": [{"type": "string"}, {"$ref": "#/components/schemas/Ids"},
      {"type": "array", "maxItems": 8, "items": {"type": ["string", "array"]}}]}}}]},
"CompletionRequest": {"allOf": [{"$ref": "#/components/schemas/StreamPart"}, {"$ref": "#/components/schemas/AnswersPart"},
  {"type": "object", "required": ["model", "prompt"], "properties": {
  "model": {"$ref": "#/components/schemas/ModelName"},
  "prompt": {"anyOf": [{"type": "string"}, {"$ref": "#/components/schemas/Ids"},
    {"type": "array", "minItems": 1, "maxItems": 256, "items": {"type": "string"}},
    {"type": "array", "minItems": 1, "maxItems": 256, "items": {"$ref": "#/components/schemas/Ids"}}]},
  "suffix": {"type": ["string", "null"], "description": "What comes after the gap to be filled"},
  "echo": {"$ref": "#/components/schemas/Flag"}, "logprobs": {"$ref": "#/components/schemas/Alternatives"},
  "max_tokens": {"type": ["integer", "null"], "minimum": 0, "maximum": 9007199254740991},
  "temperature": {"$ref": "#/components/schemas/Temperature"}, "top_p": {"$ref": "#/components/schemas/Share"},
  "top_k": {"$ref": "#/components/schemas/TopK"}, "min_p": {"$ref": "#/components/schemas/Share"},
  "presence_penalty": {"$ref": "#/components/schemas/Penalty"}, "frequency_penalty": {"$ref": "#/components/schemas/Penalty"},
  "repetition_penalty": {"$ref": "#/components/schemas/Repetition"}, "logit_bias": {"$ref": "#/components/schemas/LogitBias"},
  "seed": {"$ref": "#/components/schemas/Seed"}, "n": {"$ref": "#/components/schemas/Choices"},
  "stop": {"$ref": "#/components/schemas/Stop"}, "fathom": {"$ref": "#/components/schemas/Extension"}}}]},
"CompletionAnswer": {"type": "object", "required": ["id", "object", "created", "model", "choices", "usage"], "properties": {
  "id": {"type": "string"}, "object": {"const": "text_completion"}, "created": {"type": "integer"}, "model": {"type": "string"},
  "usage": {"$ref": "#/components/schemas/Usage"},
  "choices": {"type": "array", "minItems": 1, "items": {"type": "object", "required": ["text", "index", "logprobs", "finish_reason"], "properties": {
    "text": {"type": "string"}, "index": {"type": "integer"}, "finish_reason": {"enum": ["stop", "length"]},
    "logprobs": {"anyOf": [{"type": "null"}, {"type": "object", "required": ["tokens", "token_logprobs", "top_logprobs", "text_offset"]}]}}}}}},
"TokenizeRequest": {"description": "A text, by any of its four names, or a chat", "anyOf": [
  {"type": "object", "required": ["prompt"], "properties": {
    "prompt": {"type": "string"}, "add_special_tokens": {"$ref": "#/components/schemas/Flag"}}},
  {"type": "object", "required": ["text"], "properties": {"prompt": {"type": "null"},
    "text": {"type": "string"}, "add_special_tokens": {"$ref": "#/components/schemas/Flag"}}},
  {"type": "object", "required": ["content"], "properties": {"prompt": {"type": "null"}, "text": {"type": "null"},
    "content": {"type": "string"}, "add_special_tokens": {"$ref": "#/components/schemas/Flag"}}},
  {"type": "object", "required": ["input"], "properties": {"prompt": {"type": "null"}, "text": {"type": "null"}, "content": {"type": "null"},
    "input": {"type": "string"}, "add_special_tokens": {"$ref": "#/components/schemas/Flag"}}},
  {"type": "object", "required": ["messages"], "properties": {
    "prompt": {"type": "null"}, "text": {"type": "null"}, "content": {"type": "null"}, "input": {"type": "null"},
    "model": {"anyOf": [{"type": "null"}, {"$ref": "#/components/schemas/ModelName"}]}, "messages": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Message"}},
    "thinking": {"$ref": "#/components/schemas/Thinking"}}}]},
"Model": {"type": "object", "required": ["id", "object", "owned_by"], "properties": {
  "id": {"type": "string"}, "object": {"const": "model"}, "owned_by": {"type": "string"}, "created": {"type": "integer"}}},
"ModelList": {"type": "object", "required": ["object", "data"], "properties": {
  "object": {"const": "list"}, "data": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Model"}}}},
"Event": {"type": "object", "required": ["data"], "properties": {"data": {"type": "string"}, "event": {"type": "string"}}},
"State": {"type": "object", "required": ["status"], "properties": {"status": {"enum": ["ok", "ready", "draining"]}}},
"ErrorBody": {"type": "object", "required": ["error"], "properties": {
  "error": {"type": "object", "required": ["message", "type", "param", "code"], "properties": {
    "message": {"type": "string"}, "type": {"type": "string"}, "param": {"type": ["string", "null"]}, "code": {"type": "string"}}}}}
}, "responses": {
"Error": {"description": "400 invalid, 401 no key, 403 wrong host, 404 unknown, 405 method, 413 too large, 415 not JSON, 422 out of range, 429 queue full, 500 our failure, 503 shutting down",
  "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}}},
"MessagesError": {"description": "As in Anthropic's API",
  "content": {"application/json": {"schema": {"$ref": "#/components/schemas/MessagesErrorBody"}}}}
)json";

}  // namespace fathom::server::openapi
