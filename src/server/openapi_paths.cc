#include "server/openapi.h"

namespace fathom::server::openapi {

const char* const kPaths = R"json(
"/v1/chat/completions": {"post": {"operationId": "chat", "summary": "Answer a conversation (also /chat/completions)",
  "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ChatRequest"}}}},
  "responses": {"200": {"description": "The answer", "content": {
    "application/json": {"schema": {"$ref": "#/components/schemas/ChatAnswer"}}, "text/event-stream": {"schema": {"$ref": "#/components/schemas/Event"}}}},
    "default": {"$ref": "#/components/responses/Error"}}}},
"/beta/chat/completions": {"post": {"operationId": "chatBeta", "summary": "The same; a last message with prefix is gone on with",
  "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ChatRequest"}}}},
  "responses": {"200": {"description": "The answer", "content": {
    "application/json": {"schema": {"$ref": "#/components/schemas/ChatAnswer"}}, "text/event-stream": {"schema": {"$ref": "#/components/schemas/Event"}}}},
    "default": {"$ref": "#/components/responses/Error"}}}},
"/v1/completions": {"post": {"operationId": "complete", "summary": "Go on with raw text (also /completions)",
  "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CompletionRequest"}}}},
  "responses": {"200": {"description": "The text", "content": {
    "application/json": {"schema": {"$ref": "#/components/schemas/CompletionAnswer"}}, "text/event-stream": {"schema": {"$ref": "#/components/schemas/Event"}}}},
    "default": {"$ref": "#/components/responses/Error"}}}},
"/beta/completions": {"post": {"operationId": "completeBeta", "summary": "The same; with suffix it fills in the middle",
  "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CompletionRequest"}}}},
  "responses": {"200": {"description": "The text", "content": {
    "application/json": {"schema": {"$ref": "#/components/schemas/CompletionAnswer"}}, "text/event-stream": {"schema": {"$ref": "#/components/schemas/Event"}}}},
    "default": {"$ref": "#/components/responses/Error"}}}},
"/v1/responses": {"post": {"operationId": "respond", "summary": "OpenAI's Responses API, without state",
  "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ResponsesRequest"}}}},
  "responses": {"200": {"description": "The response", "content": {
    "application/json": {"schema": {"$ref": "#/components/schemas/ResponsesAnswer"}}, "text/event-stream": {"schema": {"$ref": "#/components/schemas/Event"}}}},
    "default": {"$ref": "#/components/responses/Error"}}}},
"/v1/messages": {"post": {"operationId": "message", "summary": "Anthropic's Messages API (also /anthropic/v1/messages)",
  "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/MessagesRequest"}}}},
  "responses": {"200": {"description": "The message", "content": {
    "application/json": {"schema": {"$ref": "#/components/schemas/MessagesAnswer"}}, "text/event-stream": {"schema": {"$ref": "#/components/schemas/Event"}}}},
    "default": {"$ref": "#/components/responses/MessagesError"}}}},
"/v1/messages/count_tokens": {"post": {"operationId": "countTokens", "summary": "Count the tokens of a message's prompt",
  "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CountRequest"}}}},
  "responses": {"200": {"description": "The count", "content": {"application/json": {"schema": {
    "type": "object", "required": ["input_tokens"], "properties": {"input_tokens": {"type": "integer", "minimum": 1}}}}}},
    "default": {"$ref": "#/components/responses/MessagesError"}}}},
"/tokenize": {"post": {"operationId": "tokenize", "summary": "Text or a chat to token ids",
  "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/TokenizeRequest"}}}},
  "responses": {"200": {"description": "The ids", "content": {"application/json": {"schema": {
    "type": "object", "required": ["tokens", "count", "max_model_len"], "properties": {
      "tokens": {"type": "array", "items": {"type": "integer"}}, "count": {"type": "integer"}, "max_model_len": {"type": "integer"}}}}}},
    "default": {"$ref": "#/components/responses/Error"}}}},
"/detokenize": {"post": {"operationId": "detokenize", "summary": "Token ids to text",
  "requestBody": {"required": true, "content": {"application/json": {"schema": {
    "type": "object", "required": ["tokens"], "properties": {"tokens": {"type": "array", "items": {"$ref": "#/components/schemas/Token"}}}}}}},
  "responses": {"200": {"description": "The text", "content": {"application/json": {"schema": {
    "type": "object", "required": ["prompt"], "properties": {"prompt": {"type": "string"}}}}}},
    "default": {"$ref": "#/components/responses/Error"}}}},
"/v1/models": {"get": {"operationId": "models", "summary": "The models there are (also /models)",
  "responses": {"200": {"description": "The list", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ModelList"}}}},
    "default": {"$ref": "#/components/responses/Error"}}}},
"/v1/models/{model}": {"get": {"operationId": "model", "summary": "One of them",
  "parameters": [{"name": "model", "in": "path", "required": true, "schema": {"type": "string", "enum": {{MODELS}}}}],
  "responses": {"200": {"description": "The model", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Model"}}}},
    "default": {"$ref": "#/components/responses/Error"}}}},
"/user/balance": {"get": {"operationId": "balance", "summary": "DeepSeek's bill: there is none here",
  "responses": {"200": {"description": "The balance", "content": {"application/json": {"schema": {
    "type": "object", "required": ["is_available", "balance_infos"], "properties": {
      "is_available": {"type": "boolean"}, "balance_infos": {"type": "array", "items": {"type": "object"}}}}}}},
    "default": {"$ref": "#/components/responses/Error"}}}},
"/health": {"get": {"operationId": "health", "summary": "Whether the process answers", "security": [],
  "responses": {"200": {"description": "It does", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/State"}}}},
    "default": {"$ref": "#/components/responses/Error"}}}},
"/ready": {"get": {"operationId": "ready", "summary": "Whether new requests are taken",
  "responses": {"200": {"description": "They are", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/State"}}}},
    "503": {"description": "Shutting down", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/State"}}}},
    "default": {"$ref": "#/components/responses/Error"}}}},
"/metrics": {"get": {"operationId": "metrics", "summary": "Figures for Prometheus",
  "responses": {"200": {"description": "The figures", "content": {"text/plain": {"schema": {"type": "string"}}}},
    "default": {"$ref": "#/components/responses/Error"}}}},
"/openapi.json": {"get": {"operationId": "openapi", "summary": "This document",
  "responses": {"200": {"description": "The document", "content": {"application/json": {"schema": {"type": "object"}}}},
    "default": {"$ref": "#/components/responses/Error"}}}}
)json";

}  // namespace fathom::server::openapi
