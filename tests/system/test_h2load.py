"""h2load, nghttp2's load generator, as a client that is not ours: nothing fails, and every record is counted."""
import os
import re
import shutil
import subprocess
import unittest

import h2
import otlp
from harness import Broker

SANITIZED = bool(os.environ.get("AGENTBUS_SANITIZED"))
CLIENTS, STREAMS = 8, 10
REQUESTS = 2000 if SANITIZED else 20_000
SECONDS = 240


@unittest.skipUnless(shutil.which("h2load"), "no h2load (Debian: nghttp2-client)")
class Load(unittest.TestCase):
    def run_h2load(self, broker, body, path, *args):
        """Sends the body REQUESTS times; checks that each request has got a 2xx answer."""
        file = broker.dir / "body"
        file.write_bytes(body)
        argv = ["h2load", "-n", str(REQUESTS), "-c", str(CLIENTS), "-d", str(file), *args, f"http://127.0.0.1:{broker.port}{path}"]
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, text=True, capture_output=True, timeout=SECONDS)
        self.assertEqual(done.returncode, 0, done.stderr)
        counts = re.search(r"^requests: (.*)$", done.stdout, re.M).group(1)
        self.assertEqual({name: int(n) for n, name in re.findall(r"(\d+) (\w+)", counts)},
                         {"total": REQUESTS, "started": REQUESTS, "done": REQUESTS, "succeeded": REQUESTS, "failed": 0, "errored": 0, "timeout": 0})
        self.assertIn(f"status codes: {REQUESTS} 2xx, 0 3xx, 0 4xx, 0 5xx", done.stdout)

    def assert_counted(self, broker, records):
        self.assertEqual({i: (s["prompts"], s["requests"]) for i, s in broker.sessions().items()}, {"load": (REQUESTS, records * REQUESTS)})

    def body(self, records):
        return otlp.claude(otlp.claude_prompt("load"), *[otlp.claude_request("load", request_id=f"req_{i}") for i in range(records)])

    def test_grpc(self):
        """A refusal would be HTTP 200, too: that all records were counted tells that there was none."""
        with Broker() as broker:
            self.run_h2load(broker, h2.framed(self.body(3)), h2.LOGS, "-m", str(STREAMS), "-H", "content-type: application/grpc", "-H", "te: trailers")
            self.assert_counted(broker, 3)

    def test_grpc_gzip(self):
        with Broker() as broker:
            self.run_h2load(broker, h2.framed(self.body(3), gzip=True), h2.LOGS, "-m", str(STREAMS), "-H", "content-type: application/grpc",
                            "-H", "te: trailers", "-H", "grpc-encoding: gzip")
            self.assert_counted(broker, 3)

    def test_http(self):
        with Broker() as broker:
            self.run_h2load(broker, self.body(3), "/v1/logs", "--h1", "-H", "content-type: application/x-protobuf")
            self.assert_counted(broker, 3)


if __name__ == "__main__":
    unittest.main()
