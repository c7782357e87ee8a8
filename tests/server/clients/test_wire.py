"""Requests as other languages' clients write them: framing, headers, versions, empty and absent fields."""
import http.client
import io
import json
import socket

import pytest

from pace import seconds

BODY = json.dumps({"model": "deepseek-chat", "messages": [{"role": "user", "content": "Who are you?"}], "temperature": 0}).encode()


def exchange(server, *pieces):
    """Sends pieces, each after the last was answered or at once; returns all that comes until the server closes."""
    host, port = server.url.split("//")[1].split(":")
    with socket.create_connection((host, int(port)), timeout=seconds(60)) as s:
        got = b""
        for piece in pieces:
            if callable(piece):
                while not piece(got):
                    got += s.recv(65536)
            else:
                s.sendall(piece)
        while data := s.recv(65536):
            got += data
    return got


class Received:
    """What came over a socket, for http.client."""

    def __init__(self, data):
        self.data = data

    def makefile(self, *_):
        return io.BytesIO(self.data)


def answer_of(got):
    # Whole, or in chunks when the server had to say that it still computes.
    response = http.client.HTTPResponse(Received(got))
    response.begin()
    assert response.status == 200, got
    return json.loads(response.read())["choices"][0]["message"]["content"]


HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"


def chunked(data, size):
    parts = [data[i : i + size] for i in range(0, len(data), size)]
    return b"".join(b"%X;ext=1\r\n%s\r\n" % (len(p), p) for p in parts) + b"0\r\nX-Trailer: y\r\n\r\n"


@pytest.fixture(scope="module")
def want(raw):
    response = raw.post("/v1/chat/completions", content=BODY, headers={"Content-Type": "application/json"})
    return response.json()["choices"][0]["message"]["content"]


@pytest.mark.parametrize(
    "request_bytes",
    [
        HEAD + b"content-type: application/json; charset=utf-8\r\ncontent-length: %d\r\n\r\n" % len(BODY) + BODY,
        HEAD + b"CONTENT-TYPE:APPLICATION/JSON\r\nCONTENT-LENGTH:%d\r\n\r\n" % len(BODY) + BODY,
        HEAD + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(BODY, 7),
        HEAD + b"Content-Type: application/json\r\ntransfer-encoding: Chunked\r\n\r\n" + chunked(BODY, 4096),
        HEAD.replace(b"1.1", b"1.0") + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY,
        HEAD.replace(b"/v1/", b"http://localhost/v1/", 1) + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY,
        HEAD.replace(b"/v1/chat/completions", b"/v1/chat/completions?api-version=1") + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY,
        HEAD + b"Accept: text/event-stream, application/json\r\nAccept-Encoding: gzip, br\r\nX-Stainless-Lang: js\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (len(BODY) + 3) + b"\xef\xbb\xbf"[:0] + b" \r\n" + BODY,
    ],
    ids=["lower", "upper", "chunks", "one chunk", "HTTP/1.0", "absolute", "query", "white space"],
)
def test_framings(server, want, request_bytes):
    assert answer_of(exchange(server, request_bytes)) == want


def test_expect_continue(server, want):
    head = HEAD + b"Content-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(BODY)
    got = exchange(server, head, lambda seen: b"\r\n\r\n" in seen, BODY)
    first, _, rest = got.partition(b"\r\n\r\n")
    assert first == b"HTTP/1.1 100 Continue" and answer_of(rest) == want


def test_byte_by_byte(server, want):
    data = HEAD + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY
    assert answer_of(exchange(server, *[data[i : i + 1] for i in range(len(data))])) == want


def test_http_10_streams_until_it_closes(server):
    body = json.dumps({**json.loads(BODY), "stream": True}).encode()
    got = exchange(server, b"POST /v1/chat/completions HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                           b"Content-Length: %d\r\n\r\n" % len(body) + body)
    head, _, events = got.partition(b"\r\n\r\n")
    assert b"chunked" not in head.lower() and events.endswith(b"data: [DONE]\n\n")


def test_fields_that_say_nothing(raw, want):
    """Clients that write every field of their structures."""
    names = ("temperature", "top_p", "n", "stop", "max_tokens", "max_completion_tokens", "presence_penalty", "frequency_penalty",
             "logit_bias", "user", "seed", "tools", "tool_choice", "response_format", "stream", "stream_options", "logprobs",
             "top_logprobs", "parallel_tool_calls", "thinking", "functions", "function_call", "metadata", "store", "service_tier")
    empty = {name: None for name in names}
    messages = [{"role": "user", "content": "Who are you?", "name": None, "tool_calls": None, "tool_call_id": None, "refusal": None}]
    body = {**empty, "model": "deepseek-chat", "messages": messages, "temperature": 0.0, "n": 1.0}
    got = raw.post("/v1/chat/completions", json=body).json()
    assert got["choices"][0]["message"]["content"] == want
    quiet = {"tools": [], "stop": [], "logit_bias": {}, "metadata": {}, "stream": False, "response_format": {"type": "text"}}
    got = raw.post("/v1/chat/completions", json={**body, **quiet}).json()
    assert got["choices"][0]["message"]["content"] == want


def test_contents(raw, want):
    for content in ([{"type": "text", "text": "Who are you?"}], [{"type": "text", "text": "Who are you?", "cache_control": {"type": "ephemeral"}}]):
        body = {**json.loads(BODY), "messages": [{"role": "user", "content": content}]}
        assert raw.post("/v1/chat/completions", json=body).json()["choices"][0]["message"]["content"] == want
    history = [{"role": "user", "content": "Hi"}, {"role": "assistant"}, {"role": "assistant", "content": None, "tool_calls": []},
               {"role": "assistant", "content": []}, {"role": "user", "content": "Who are you?"}]
    assert raw.post("/v1/chat/completions", json={**json.loads(BODY), "messages": history}).status_code == 200


def test_usage_options(raw):
    body = {**json.loads(BODY), "stream": True, "max_tokens": 4}
    for options, with_usage in ((None, False), ({}, False), ({"include_usage": False}, False), ({"include_usage": True}, True),
                                ({"include_usage": True, "include_obfuscation": False}, True)):
        text = raw.post("/v1/chat/completions", json={**body, "stream_options": options}).text
        chunks = [json.loads(line[6:]) for line in text.split("\n") if line.startswith("data: {")]
        assert (chunks[-1]["choices"] == []) == with_usage
        assert chunks[-1]["usage"]["completion_tokens"] == 4
        assert all("usage" in c and c["usage"] is None for c in chunks[:-1]) or not with_usage
