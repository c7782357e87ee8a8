// The server's API as this page uses it (web/README.md).
import { sse_events } from "./sse.js";

// kind: key | busy | draining | context | request | server | network | unreachable
export class ApiError extends Error {
  constructor(kind, message, retry_after = null) {
    super(message);
    this.kind = kind;
    this.retry_after = retry_after;
  }
}

const kKeyName = "fathom.key";
export const api_key = () => sessionStorage.getItem(kKeyName) || "";
export const set_api_key = (key) => sessionStorage.setItem(kKeyName, key);

function headers() {
  const result = { "Content-Type": "application/json" };
  if (api_key()) result.Authorization = `Bearer ${api_key()}`;
  return result;
}

function kind_of(status, error) {
  if (status === 401) return "key";
  if (status === 429) return "busy";
  if (status === 503) return "draining";
  if (error.code === "context_length_exceeded") return "context";
  return status >= 400 && status < 500 ? "request" : "server";
}

async function error_of(response) {
  let error = {};
  try {
    error = (await response.json()).error || {};
  } catch {
    // A proxy's page, or nothing: the status says enough.
  }
  const seconds = Number(response.headers.get("Retry-After"));
  const message = String(error.message || `The server answered ${response.status} ${response.statusText}`);
  return new ApiError(kind_of(response.status, error), message, seconds > 0 ? Math.min(seconds, 600) : null);
}

async function request(path, options) {
  let response;
  try {
    response = await fetch(path, { ...options, headers: headers(), cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError("unreachable", "Nothing answers at this address. Look whether the server runs.");
  }
  if (!response.ok) throw await error_of(response);
  return response;
}

// The models that can chat: [{id, fathom: {context, thinking, non_thinking, tools, mtp, experts}}].
export async function list_models() {
  const answer = await (await request("/v1/models", {})).json();
  const models = (answer.data || []).filter((model) => model.fathom);
  if (!models.length) throw new ApiError("server", "The server offers no model.");
  return models;
}

// Calls on_chunk with every chunk of a streamed chat completion. Returns after [DONE]; throws ApiError, or
// AbortError when the signal stopped it.
export async function stream_chat(body, signal, on_chunk) {
  const response =
      await request("/v1/chat/completions", { method: "POST", body: JSON.stringify(body), signal });
  const lost = () => new ApiError("network", "The answer is not complete.");
  try {
    for await (const data of sse_events(response.body)) {
      if (data === "[DONE]") return;
      const chunk = JSON.parse(data);
      if (chunk.error) {
        throw new ApiError(kind_of(chunk.error.status || 500, chunk.error), String(chunk.error.message));
      }
      on_chunk(chunk);
    }
  } catch (error) {
    if (error instanceof ApiError || error.name === "AbortError") throw error;
    if (error instanceof SyntaxError)
      throw new ApiError("server", "The server sent an answer that is not JSON.");
    throw lost();
  }
  throw lost();
}
