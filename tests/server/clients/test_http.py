"""What stands around the APIs: access, envelopes, queues, clients that go away, shutting down."""
import concurrent.futures
import json
import random
import socket
import threading
import time

import httpx
import pytest

from pace import seconds

WHO = [{"role": "user", "content": "Who are you?"}]
LONG = {"model": "deepseek-chat", "messages": [{"role": "user", "content": "Tell me a long story."}],
        "temperature": 2, "logit_bias": {"1": -100}, "max_tokens": 900}


def address(server):
    host, port = server.url.split("//")[1].split(":")
    return host, int(port)


def body_of(**fields):
    return {"model": "deepseek-chat", "messages": WHO, "temperature": 0, **fields}


def test_ways_in(raw):
    for path in ("/chat/completions", "/v1/chat/completions", "/beta/chat/completions"):
        assert raw.post(path, json=body_of(max_tokens=2)).status_code == 200
    for path in ("/models", "/v1/models", "/anthropic/v1/models"):
        assert raw.get(path).json()["object"] == "list"
    assert raw.get("/v1/models/deepseek-chat").json()["id"] == "deepseek-chat"
    assert raw.get("/user/balance").json()["is_available"] is True
    assert raw.get("/health").json() == {"status": "ok"} and raw.get("/ready").status_code == 200
    assert raw.get("/openapi.json").json()["openapi"].startswith("3.1")


def test_page(raw):
    page = raw.get("/")
    assert page.status_code == 200 and page.headers["content-type"].startswith("text/html")
    assert "default-src" in page.headers["content-security-policy"]
    assert raw.get("/", headers={"If-None-Match": page.headers["etag"]}).status_code == 304
    assert raw.head("/").headers["content-length"] == str(len(page.content))


@pytest.mark.parametrize(
    "method, path, fields, status",
    [
        ("GET", "/nothing", {}, 404),
        ("GET", "/v1/chat/completions", {}, 405),
        ("DELETE", "/v1/models", {}, 405),
        ("POST", "/v1/chat/completions", {"content": b"{}"}, 415),
        ("POST", "/v1/chat/completions", {"content": b"{}", "headers": {"Content-Type": "text/plain"}}, 415),
        ("POST", "/v1/chat/completions", {"content": b"{", "headers": {"Content-Type": "application/json"}}, 400),
        ("POST", "/v1/chat/completions", {"json": []}, 400),
        ("POST", "/v1/chat/completions", {"content": b'{"a":1,"a":2}', "headers": {"Content-Type": "application/json"}}, 400),
        ("POST", "/v1/chat/completions", {"content": b"[" * 100000, "headers": {"Content-Type": "application/json"}}, 400),
        ("POST", "/v1/chat/completions", {"content": b" " * (17 << 20), "headers": {"Content-Type": "application/json"}}, 413),
        ("GET", "/v1/models/none", {}, 404),
    ],
)
def test_envelopes(raw, method, path, fields, status):
    response = raw.request(method, path, **fields)
    assert response.status_code == status
    assert set(response.json()["error"]) == {"message", "type", "param", "code"}
    assert response.headers["x-request-id"]
    if status == 405:
        assert response.headers["allow"]


@pytest.mark.parametrize("fields, status", [({"content": b"{}"}, 415), ({"json": {"model": 5}}, 400), ({"json": {}}, 400)])
def test_anthropic_envelopes(raw, fields, status):
    for path in ("/v1/messages", "/anthropic/v1/messages"):
        response = raw.post(path, **fields)
        assert response.status_code == status and response.json()["type"] == "error"
        assert response.json()["error"]["type"] == "invalid_request_error" and response.headers["request-id"]


def test_tokens_round_trip(raw):
    for text in ("Hello, world!", "日本語 ünïcode 🎉", ""):
        tokens = raw.post("/tokenize", json={"prompt": text, "add_special_tokens": False}).json()
        assert tokens["count"] == len(tokens["tokens"])
        assert raw.post("/detokenize", json={"tokens": tokens["tokens"]}).json()["prompt"] == text
    assert raw.post("/detokenize", json={"tokens": [10**9]}).status_code == 422


def test_keys(start, tmp_path):
    keys = tmp_path / "keys"
    keys.write_text("# mine\nsecret-1\n\nsecret-2  \n")
    server = start("--api-key-file", str(keys))
    with httpx.Client(base_url=server.url) as http:
        assert http.get("/health").status_code == 200 and http.get("/").status_code == 200
        for path in ("/v1/models", "/metrics", "/ready", "/openapi.json", "/nothing"):
            assert http.get(path).status_code == 401
        for wrong in ("secret-", "secret-11", "SECRET-1", "x"):
            assert http.get("/v1/models", headers={"Authorization": f"Bearer {wrong}"}).status_code == 401
        for headers in ({"Authorization": "Bearer secret-1"}, {"x-api-key": "secret-2"}, {"authorization": "bearer secret-2"}):
            assert http.get("/v1/models", headers=headers).status_code == 200
        refused = http.post("/v1/messages", json={})
        assert refused.status_code == 401 and refused.json()["error"]["type"] == "authentication_error"
    assert server.stop() == 0


def test_host_header(raw):
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80"):
        assert raw.get("/v1/models", headers={"Host": host}).status_code == 403
    for host in ("localhost:1", "127.0.0.1", "[::1]:99", "LOCALHOST"):
        assert raw.get("/v1/models", headers={"Host": host}).status_code == 200


def test_cors(raw, start):
    ask = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
    closed = raw.options("/v1/chat/completions", headers=ask)
    assert closed.status_code == 405 and "access-control-allow-origin" not in closed.headers
    server = start("--cors-origin", "https://a.example")
    with httpx.Client(base_url=server.url) as http:
        answer = http.options("/v1/chat/completions", headers=ask)
        assert answer.status_code == 204 and answer.headers["access-control-allow-origin"] == "https://a.example"
        assert http.get("/v1/models", headers=ask).headers["access-control-allow-origin"] == "https://a.example"
        other = http.get("/v1/models", headers={"Origin": "https://b.example"})
        assert "access-control-allow-origin" not in other.headers
    assert server.stop() == 0


def test_disconnect_frees_the_work(server, raw):
    for stream in (True, False):
        host, port = address(server)
        with socket.create_connection((host, port)) as s:
            data = json.dumps({**LONG, "stream": stream}).encode()
            s.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                      b"Content-Length: %d\r\n\r\n" % len(data) + data)
            end = time.monotonic() + seconds(5)
            while server.metrics()["fathom_requests_running"] == 0:
                assert time.monotonic() < end
        before = time.monotonic()
        server.wait_idle(seconds(2))
        assert time.monotonic() - before < seconds(1)


def test_a_half_closed_client_gets_its_answer(server):
    for stream in (True, False):
        data = json.dumps(body_of(stream=stream)).encode()
        with socket.create_connection(address(server)) as s:
            s.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                      b"Content-Length: %d\r\n\r\n" % len(data) + data)
            s.shutdown(socket.SHUT_WR)
            got = b""
            while piece := s.recv(65536):
                got += piece
        assert got.startswith(b"HTTP/1.1 200") and (b"[DONE]" if stream else b'"finish_reason":"stop"') in got


def test_disk_cache_metrics(start, tmp_path):
    server = start("--cache-dir", str(tmp_path / "blocks"))
    text = "Count the letter r in river. " * 20
    body = body_of(messages=[{"role": "user", "content": text}], max_tokens=4)
    httpx.post(server.url + "/v1/chat/completions", json=body, timeout=seconds(120))
    end = time.monotonic() + seconds(5)
    while server.metrics()["fathom_disk_cache_saved_total"] == 0:
        assert time.monotonic() < end
    metrics = server.metrics()
    assert metrics["fathom_disk_cache_misses_total"] > 0 and metrics["fathom_disk_cache_bytes"] > 0
    assert metrics["fathom_disk_cache_hits_total"] == metrics["fathom_disk_cache_evictions_total"] == 0
    assert server.stop() == 0
    server = start("--cache-dir", str(tmp_path / "blocks"))
    httpx.post(server.url + "/v1/chat/completions", json=body, timeout=seconds(120))
    assert server.metrics()["fathom_disk_cache_hits_total"] > 0
    assert server.stop() == 0


def answers(server, bodies, workers):
    def one(body):
        with httpx.Client(base_url=server.url, timeout=seconds(300)) as http:
            if not body.get("stream"):
                return http.post("/v1/chat/completions", json=body).json()["choices"][0]["message"]
            text = {"content": "", "reasoning_content": ""}
            with http.stream("POST", "/v1/chat/completions", json=body) as response:
                assert response.status_code == 200
                done = False
                for line in response.iter_lines():
                    if line == "data: [DONE]":
                        done = True
                    elif line.startswith("data: "):
                        delta = json.loads(line[6:])["choices"][0]["delta"]
                        for key in text:
                            text[key] += delta.get(key) or ""
                assert done
            return text

    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        return list(pool.map(one, bodies))


def test_64_streams_equal_the_same_alone(start):
    server = start("--max-batch", "64")
    rng = random.Random(1)
    questions = ["Who are you?", "What is 348 + 275?", "Count the letter r in river.", 'Reverse the word "garden".',
                 "Today is Friday. What day will it be in 10 days?", 'What does "forelock" mean?']
    bodies = []
    for i in range(64):
        bodies.append({
            "model": rng.choice(["deepseek-chat", "deepseek-reasoner"]), "stream": True, "max_tokens": 120,
            "messages": [{"role": "user", "content": rng.choice(questions)}], "seed": i, "temperature": rng.choice([0, 1.3]),
            "response_format": {"type": rng.choice(["text", "text", "json_object"])},
        })
    together = answers(server, bodies, 64)
    alone = answers(server, bodies, 1)
    assert together == alone
    assert server.metrics()["fathom_cache_blocks_in_use"] == 0
    assert server.stop() == 0


def test_queue_full(start):
    server = start("--max-batch", "1", "--max-queue", "2")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        def one(_):
            return httpx.post(server.url + "/v1/chat/completions", json={**LONG, "max_tokens": 300}, timeout=seconds(120))
        responses = list(pool.map(one, range(8)))
    statuses = sorted(r.status_code for r in responses)
    assert statuses[0] == 200 and statuses[-1] == 429 and set(statuses) == {200, 429}
    refused = next(r for r in responses if r.status_code == 429)
    assert int(refused.headers["retry-after"]) > 0 and refused.json()["error"]["code"] == "queue_full"
    assert server.stop() == 0


def test_keep_alive_lines(start):
    server = start("--max-batch", "1", "--keep-alive-seconds", "0.1")
    blocker = threading.Thread(target=lambda: httpx.post(server.url + "/v1/chat/completions", json=LONG, timeout=seconds(120)))
    blocker.start()
    while server.metrics()["fathom_requests_running"] == 0:
        time.sleep(0.01)
    with httpx.stream("POST", server.url + "/v1/chat/completions", json=body_of(stream=True), timeout=seconds(120)) as response:
        lines = list(response.iter_lines())
    assert ": keep-alive" in lines and lines[-2:] == ["data: [DONE]", ""]
    blocker.join()
    blocker = threading.Thread(target=lambda: httpx.post(server.url + "/v1/chat/completions", json=LONG, timeout=seconds(120)))
    blocker.start()
    while server.metrics()["fathom_requests_running"] == 0:
        time.sleep(0.01)
    response = httpx.post(server.url + "/v1/chat/completions", json=body_of(), timeout=seconds(120))
    assert response.text.startswith("\n") and response.json()["choices"]
    blocker.join()
    assert server.stop() == 0


def test_drain(start):
    server = start("--drain-seconds", str(seconds(60)))
    with httpx.stream("POST", server.url + "/v1/chat/completions", json={**LONG, "stream": True}, timeout=seconds(120)) as response:
        lines = response.iter_lines()
        next(lines)
        server.process.terminate()
        rest = list(lines)
    assert "data: [DONE]" in rest
    assert server.process.wait(seconds(10)) == 0


def test_drain_ends(start):
    server = start("--drain-seconds", "0.2", "--max-batch", "1")
    with httpx.stream("POST", server.url + "/v1/chat/completions", json={**LONG, "stream": True, "n": 20}, timeout=seconds(60)) as response:
        next(response.iter_lines())
        before = time.monotonic()
        server.process.terminate()
        assert server.process.wait(seconds(10)) == 0
        assert time.monotonic() - before < seconds(3)


def test_malformed_requests_disturb_nobody(server, raw):
    want = raw.post("/v1/chat/completions", json=body_of()).json()["choices"][0]["message"]
    rng = random.Random(2)
    good = json.dumps(body_of()).encode()
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    for i in range(300):
        data = bytearray(head % len(good) + good)
        for _ in range(rng.randrange(1, 6)):
            at = rng.randrange(len(data))
            if rng.random() < 0.5:
                data[at] = rng.randrange(256)
            else:
                del data[at : at + rng.randrange(1, 20)]
        with socket.create_connection(address(server)) as s:
            s.settimeout(seconds(10))
            s.sendall(bytes(data))
            s.shutdown(socket.SHUT_WR)
            try:
                while s.recv(65536):
                    pass
            except (ConnectionResetError, TimeoutError):
                pass
    assert raw.post("/v1/chat/completions", json=body_of()).json()["choices"][0]["message"] == want
    server.wait_idle()


def test_cache_directory(start, tmp_path):
    directory = tmp_path / "cache"
    text = "Reverse the word garden. Count the letter r in river. " * 20
    body = body_of(messages=[{"role": "user", "content": text}], max_tokens=24)

    def ask(*flags, kill=False):
        server = start("--cache-dir", str(directory), "--cache-disk", "64M", *flags)
        answer = httpx.post(server.url + "/v1/chat/completions", json=body, timeout=seconds(120)).json()
        if kill:
            time.sleep(1)
            server.process.kill()
            server.process.wait()
        else:
            assert server.stop() == 0
        return answer["choices"][0]["message"]["content"], answer["usage"]["prompt_cache_hit_tokens"]

    want, hits = ask(kill=True)
    assert hits == 0
    again, hits = ask()
    assert again == want and hits >= 256 and hits % 64 == 0
    other, hits = ask("--mode", "faithful")
    assert hits == 0
    assert ask("--mode", "faithful") == (other, ask()[1])
    plain = start()
    assert httpx.post(plain.url + "/v1/chat/completions", json=body, timeout=seconds(120)).json()["choices"][0]["message"]["content"] == want
    assert sum(f.stat().st_size for f in directory.iterdir()) <= 64 << 20
    (directory / "blocks.sqlite").write_bytes(b"broken" * 1000)
    assert ask() == (want, 0)


def test_bad_flags(request):
    import subprocess
    fathom, model = request.config.getoption("--fathom"), request.config.getoption("--model")
    for flags in (["--host", "0.0.0.0"], ["--api-key-file", "/nonexistent"], ["--tls-cert", "/x"], ["--port", "99999"],
                  ["--cache-memory", "1Q"], ["--format", "v9"], ["--cache-dir", "/proc/x"], ["--cache-dir", "/tmp", "--cache-disk", "1M"], ["--tls-cert", "/x", "--tls-key", "/y"]):
        run = subprocess.run([fathom, "serve", model, "--port", "0", *flags], capture_output=True, text=True, timeout=seconds(60))
        assert run.returncode == 2 and run.stderr.count("\n") == 1 and len(run.stderr) < 400, (flags, run.stderr)
