"""A server with scripted answers for the page's tests: web/README.md's contract without a model.

    fake_server.py BUNDLE [--port N] [--api-key KEY]      BUNDLE: what tools/web_bundle.sh wrote
"""

import argparse
import http.server
import json
import pathlib
import re
import sys
import threading
import time

import scripts

SOURCE = pathlib.Path(__file__).resolve().parents[2] / "web"
LAYERS = list(range(3, 29))
ROUTED = 64
TOP_K = 6
MODEL = {
    "id": "fathom-test",
    "fathom": {"context": 4096, "thinking": True, "non_thinking": True, "tools": True, "mtp": True,
               "experts": {"layers": LAYERS, "routed": ROUTED, "top_k": TOP_K}},
}
# 400 gives a plain refusal; the others are the states the page explains.
ERRORS = {
    "429": (429, {"message": "queue full: 64 requests wait", "code": "queue_full"}),
    "503": (503, {"message": "the server is draining", "code": "draining"}),
    "full": (400, {"message": "messages: 5000 tokens do not fit into the context of 4096", "code": "context_length_exceeded"}),
    "400": (400, {"message": "messages[0].content: must be a string", "code": "invalid_request_error"}),
}


def experts_of(token):
    """Experts of one token: deterministic, uneven, distinct within a layer."""
    return [[(token * token * 7 + layer * 11 + slot * (3 + layer % 5 * 2)) % ROUTED for slot in range(TOP_K)]
            for layer in LAYERS]


def pieces(text):
    return re.findall(r"\s*\S+|\s+$", text)


class Answer:
    """Writes one streamed answer."""

    def __init__(self, handler, body, slow):
        self.handler, self.body, self.slow = handler, body, slow
        self.tokens = self.thoughts = 0

    def event(self, data):
        self.handler.wfile.write(f"data: {json.dumps(data)}\n\n".encode())
        self.handler.wfile.flush()

    def delta(self, delta, finish=None, tokens=1):
        chunk = {"id": "x", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
        if self.body.get("fathom", {}).get("experts"):
            chunk["fathom"] = {"experts": [experts_of(self.tokens + n) for n in range(tokens)]}
        self.tokens += tokens
        self.event(chunk)
        time.sleep(0.02 if self.slow else self.handler.server.delay)

    def think(self, text):
        for piece in pieces(text):
            self.delta({"reasoning_content": piece})
            self.thoughts += 1

    def say(self, text):
        for index, piece in enumerate(pieces(text)):
            self.delta({"content": piece}, tokens=1 + index % 2)

    def call(self, calls):
        for index, (call_id, name, arguments) in enumerate(calls):
            self.delta({"tool_calls": [{"index": index, "id": call_id, "type": "function", "function": {"name": name, "arguments": ""}}]})
            for at in range(0, len(arguments), 6):
                self.delta({"tool_calls": [{"index": index, "function": {"arguments": arguments[at:at + 6]}}]})

    def end(self, finish="stop", prompt_tokens=160):
        self.delta({}, finish, tokens=0)
        self.event({
            "choices": [],
            "usage": {"prompt_tokens": prompt_tokens, "completion_tokens": self.tokens, "prompt_cache_hit_tokens": 128,
                      "completion_tokens_details": {"reasoning_tokens": self.thoughts}},
            "fathom": {"timing": {"prefill_s": 0.04, "decode_s": max(0.001, self.tokens / 25)},
                       "mtp": {"drafted": 40, "accepted": 31}},
        })
        self.handler.wfile.write(b"data: [DONE]\n\n")


def write_answer(answer, word, body):
    """`word` chooses the script; every branch but the broken ones ends the stream properly."""
    texts = {"markdown": scripts.MARKDOWN, "math": scripts.MATH, "code": scripts.CODE, "hostile": scripts.HOSTILE,
             "heavy": scripts.HEAVY, "long": scripts.LONG, "slow": scripts.SLOW}
    if body["thinking"]["type"] == "enabled" and word not in ("json", "heavy"):
        answer.think(scripts.THOUGHTS)
    if body["messages"][-1]["role"] == "tool":
        results = [message["content"] for message in body["messages"] if message["role"] == "tool"]
        answer.say("The tools said: " + "; ".join(results))
    elif word == "tools" and body.get("tools"):
        answer.say("I look that up.")
        answer.call(scripts.tool_calls())
        return answer.end("tool_calls")
    elif word == "nothing":
        return answer.end()
    elif word == "drop":
        return answer.say("The connection breaks after these words")
    elif word == "midway":
        answer.say("An error follows.")
        return answer.event({"error": {"message": "the engine ran out of memory", "code": "out_of_memory", "status": 500}})
    elif word == "cut":
        answer.say("This answer is cut")
        return answer.end("length", prompt_tokens=200)
    elif word == "brim":
        answer.say("This answer fills the context")
        return answer.end("length", prompt_tokens=4096)
    elif word == "json":
        answer.say(scripts.JSON_TEXT)
    elif word == "echo":
        answer.say("```json\n" + json.dumps({k: v for k, v in body.items() if k != "fathom"}, indent=1) + "\n```")
    else:
        answer.say(texts.get(word, scripts.PLAIN))
    answer.end()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, status, body, headers):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": len(body)}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)

    def json(self, status, value, headers=None):
        self.reply(status, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})})

    def refused(self):
        key = self.server.api_key
        if not key or self.headers.get("Authorization") == f"Bearer {key}":
            return False
        self.json(401, {"error": {"message": "invalid API key", "code": "invalid_api_key"}})
        return True

    def do_GET(self):
        if self.path == "/v1/models":
            if not self.refused():
                aliases = [{"id": "deepseek-chat"}, {"id": "deepseek-reasoner"}]
                self.json(200, {"object": "list", "data": [self.server.model, *aliases]})
            return
        asset = self.server.assets.get(self.path)
        if not asset:
            return self.json(404, {"error": {"message": "no such path"}})
        self.reply(200, asset[1], {
            "Content-Type": asset[0], "Cache-Control": "no-cache", "Content-Security-Policy": self.server.policy,
            "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
            "Cross-Origin-Opener-Policy": "same-origin",
        })

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.refused():
            return
        self.server.requests.append(body)
        users = [message["content"] for message in body["messages"] if message["role"] == "user"]
        word = users[-1].split()[0]
        if word == "503once":
            word, self.server.drained = "plain" if self.server.drained else "503", True
        if word in ERRORS:
            status, error = ERRORS[word]
            return self.json(status, {"error": error}, {"Retry-After": "3"} if status in (429, 503) else {})
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            self.wfile.write(b": keep-alive\n\n")
            write_answer(Answer(self, body, word == "slow"), word, body)
        except (BrokenPipeError, ConnectionResetError):
            self.server.aborted += 1


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, bundle, port=0, api_key="", delay=0.0005):
        super().__init__(("127.0.0.1", port), Handler)
        self.api_key, self.delay, self.model = api_key, delay, MODEL
        self.requests, self.aborted, self.drained = [], 0, False
        self.policy = (SOURCE / "csp.txt").read_text().strip()
        self.assets = {}
        for line in (pathlib.Path(bundle) / "manifest.txt").read_text().splitlines():
            path, content_type, name, *_ = line.split("\t")
            self.assets[path] = (content_type, (pathlib.Path(bundle) / "site" / name).read_bytes())
        self.address = f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def start(self):
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("bundle")
    parser.add_argument("--port", type=int, default=8088)
    parser.add_argument("--api-key", default="")
    arguments = parser.parse_args()
    server = Server(arguments.bundle, arguments.port, arguments.api_key, delay=0.02)
    print(f"fake server on {server.address}", flush=True)
    server.serve_forever()
