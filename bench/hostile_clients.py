#!/usr/bin/env python3
"""Clients that idle, dawdle, half-close and talk nonsense, beside one that behaves.

hostile_clients.py FATHOM MODEL [ROUNDS]: starts a server and prints, alone and then beside 1,000 idle connections, 50
slow readers, 50 slow writers, 50 half-closed sockets and 10,000 malformed requests, three times over or ROUNDS: the time
of the well-behaved client's answers, and the server's resident memory. Exit code 1 when an answer changed, a request
failed, memory grew by more than 64 MiB (the sockets' own buffers in the program included), or by more than 8 MiB from
the first round to a later one. The cache of prompts is filled before: its pages are touched one by one otherwise.
"""
import http.client
import json
import random
import resource
import socket
import subprocess
import sys
import threading
import time

BODY = json.dumps({"model": "deepseek-chat", "temperature": 0, "messages": [{"role": "user", "content": "Who are you?"}]}).encode()
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
LONG = json.dumps({"model": "deepseek-chat", "stream": True, "max_tokens": 60, "temperature": 2,
                   "messages": [{"role": "user", "content": "Who are you?"}]}).encode()


class Server:
    def __init__(self, fathom, model):
        self.process = subprocess.Popen([fathom, "serve", model, "--port", "0", "--max-batch", "128",
                                         "--cache-memory", "192M"],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        host, port = self.process.stdout.readline().split("//")[1].strip().split(":")
        self.address = (host, int(port))

    def connect(self):
        return socket.create_connection(self.address, timeout=60)

    def memory(self):
        with open(f"/proc/{self.process.pid}/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS")) / 1024


def ask(connection):
    """One answer over a connection that stays open, and how long it took."""
    start = time.monotonic()
    connection.request("POST", "/v1/chat/completions", BODY, {"Content-Type": "application/json"})
    return json.loads(connection.getresponse().read())["choices"][0]["message"]["content"], time.monotonic() - start


def told(name, times, memory):
    times = sorted(times)
    print(f"{name}: {len(times)} answers, p50 {1e3 * times[len(times) // 2]:.0f} ms, p99 {1e3 * times[len(times) * 99 // 100]:.0f} ms; "
          f"{memory:.1f} MiB resident", flush=True)


def fill_cache(server, rng):
    """Prompts of random tokens, more than the cache holds, answered with drafts: the MTP module has a part of it."""
    connection = http.client.HTTPConnection(*server.address, timeout=120)
    for _ in range(90):
        body = {"model": "deepseek-chat", "prompt": [rng.randrange(300, 8000) for _ in range(960)], "max_tokens": 8}
        connection.request("POST", "/v1/completions", json.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        assert response.status == 200, response.read()
        response.read()


def malformed(server, count, rng):
    good = HEAD % len(BODY) + BODY
    for _ in range(count):
        data = bytearray(good)
        # The method, the line, or the framing: nothing that could still be a request.
        at = rng.choice([0, 5, good.index(b"HTTP") + 2, good.index(b"Content-Length") + 3])
        data[at] = rng.choice(b"\x00\x01\x7f \xff")
        try:
            with server.connect() as s:
                s.sendall(bytes(data[: rng.randrange(20, len(data) + 1)]))
                s.shutdown(socket.SHUT_WR)
                while s.recv(65536):
                    pass
        except ConnectionError:
            pass


def slow_writers(server, count, stop):
    data = HEAD % len(BODY) + BODY
    sockets = [server.connect() for _ in range(count)]
    at = 0
    while not stop.is_set() and at < len(data):
        for s in sockets:
            try:
                s.sendall(data[at : at + 1])
            except OSError:
                pass
        at += 1
        stop.wait(0.05)
    for s in sockets:
        s.close()


def onslaught(server, behaved, want, seed):
    """All of them at once. The behaved client's answers, how many half-closed clients were answered, and the memory then."""
    idle = [server.connect() for _ in range(1000)]
    slow, half = [server.connect() for _ in range(50)], [server.connect() for _ in range(50)]
    for s in slow:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        s.sendall(HEAD % len(LONG) + LONG)
    for s in half:
        s.sendall(HEAD % len(BODY) + BODY)
        s.shutdown(socket.SHUT_WR)
    stop = threading.Event()
    threads = [threading.Thread(target=slow_writers, args=(server, 50, stop))]
    threads += [threading.Thread(target=malformed, args=(server, 2500, random.Random(4 * seed + i))) for i in range(4)]
    for t in threads:
        t.start()
    beside = []
    while any(t.is_alive() for t in threads[1:]) or len(beside) < 100:
        beside.append(ask(behaved))
    answered = 0
    for s in half:
        got = b""
        while piece := s.recv(65536):
            got += piece
        answered += want.encode() in got
    memory = server.memory()
    stop.set()
    for t in threads:
        t.join()
    for s in idle + slow + half:
        s.close()
    time.sleep(1)
    return beside, answered, memory


def main():
    resource.setrlimit(resource.RLIMIT_NOFILE, (8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    server = Server(*sys.argv[1:3])
    try:
        return watch(server, int(sys.argv[3]) if len(sys.argv) > 3 else 3)
    finally:
        server.process.kill()


def watch(server, rounds):
    behaved = http.client.HTTPConnection(*server.address, timeout=120)
    want = ask(behaved)[0]
    alone = [ask(behaved) for _ in range(100)]
    fill_cache(server, random.Random(2))
    malformed(server, 300, random.Random(1))  # what is allocated once is allocated
    memory = [server.memory()]
    told("alone", [seconds for _, seconds in alone], memory[0])
    asked, answered = list(alone), 0
    for seed in range(rounds):
        beside, half_closed, now = onslaught(server, behaved, want, seed)
        told("beside 1,000 idle, 50 slow readers, 50 slow writers, 50 half-closed, 10,000 malformed", [t for _, t in beside], now)
        asked, answered = asked + beside, answered + half_closed
        memory.append(now)
    again = [ask(behaved) for _ in range(50)]
    told("afterwards", [seconds for _, seconds in again], server.memory())
    wrong = sum(text != want for text, _ in asked + again)
    print(f"{wrong} answers of the behaved client differ; {answered} of {50 * rounds} half-closed clients were answered")
    server.process.terminate()
    code = server.process.wait(60)
    flat = max(memory) - memory[0] < 64 and max(memory[1:]) - memory[1] < 8
    return 0 if wrong == 0 and answered == 50 * rounds and code == 0 and flat else 1


if __name__ == "__main__":
    sys.exit(main())
