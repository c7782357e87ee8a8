"""Starts servers for the tests, one for each set of flags."""
import re
import subprocess
import time

import anthropic
import httpx
import openai
import pytest

from pace import seconds


def pytest_addoption(parser):
    parser.addoption("--fathom", required=True)
    parser.addoption("--model", required=True)


class Server:
    def __init__(self, fathom, model, *flags):
        self.process = subprocess.Popen(
            [fathom, "serve", model, "--port", "0", *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        line = self.process.stdout.readline()
        match = re.search(r"https?://\S+", line)
        assert match, f"no address in {line!r}: {self.process.stderr.read()}"
        self.url = match.group(0)

    def stop(self, timeout=30):
        self.process.terminate()
        return self.process.wait(seconds(timeout))

    def metrics(self):
        text = httpx.get(self.url + "/metrics").text
        return {m[0]: float(m[1]) for m in re.findall(r"^([a-z_]+(?:{[^}]*})?) (\S+)$", text, re.M)}

    def wait_idle(self, limit=seconds(10)):
        end = time.monotonic() + limit
        while time.monotonic() < end:
            if self.metrics()["fathom_requests_running"] == 0:
                return
            time.sleep(0.02)
        raise AssertionError("the engine still runs requests")


@pytest.fixture(scope="session")
def start(request):
    servers = []

    def start_server(*flags):
        server = Server(request.config.getoption("--fathom"), request.config.getoption("--model"), *flags)
        servers.append(server)
        return server

    yield start_server
    for server in servers:
        if server.process.poll() is None:
            assert server.stop() == 0


@pytest.fixture(scope="session")
def server(start):
    return start()


@pytest.fixture(scope="session")
def client(server):
    return openai.OpenAI(base_url=server.url + "/v1", api_key="none", max_retries=0)


@pytest.fixture(scope="session")
def beta(server):
    return openai.OpenAI(base_url=server.url + "/beta", api_key="none", max_retries=0)


@pytest.fixture(scope="session")
def claude(server):
    return anthropic.Anthropic(base_url=server.url + "/anthropic", api_key="none", max_retries=0)


@pytest.fixture(scope="session")
def raw(server):
    with httpx.Client(base_url=server.url, timeout=seconds(120)) as http:
        yield http
