"""Who may send, who may listen, and what others of the machine can see or reach: over HTTP, over gRPC, at the sockets and in files."""
import contextlib
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import unittest
from pathlib import Path

import h2
import otlp
from harness import JSON, PATIENCE, PB, Broker, Sandbox
from refusals import DENIED, NOBODY, OK, SANITIZED, UNAUTHENTICATED, RefusalCase, dial, head_of, json_of, other_user, read_answer, request_of

TOKEN = "correct-horse-battery"
PAGE = "https://page.example"
FOREIGN_HOSTS = ("evil.example", "evil.example:4318", "127.0.0.1.evil.example", "localhost.evil.example:4318", "notlocalhost", "10.1.2.3",
                 "10.1.2.3:4318", "0.0.0.0", "[2001:db8::1]:4318", "[::]", "127.1", "0x7f000001", "2130706433", "localhost:port", "user@localhost", "")
OWN_HOSTS = ("localhost", "LOCALHOST:4318", "a.localhost", "127.0.0.1", "127.0.0.1:1", "127.9.9.9:4318", "[::1]", "[::1]:4318", "localhost.")
FOREIGN_ORIGINS = ("https://evil.example", "http://localhost", "http://localhost:8080", "http://127.0.0.1:4318", "null", "file://",
                   "https://page.example.evil", "http://page.example", "https://page.example:8443", "chrome-extension://abc", "")


def needs_root(test):
    return unittest.skipUnless(os.geteuid() == 0, "only root can be two users")(test)


def own_addresses():
    """IPv4 addresses of this machine beyond loopback."""
    shown = subprocess.run(["hostname", "-I"], capture_output=True, text=True).stdout.split() if shutil.which("hostname") else []
    return [a for a in shown if re.fullmatch(r"[0-9.]+", a)]


class AccessCase(RefusalCase):
    def send(self, broker, body=b"", host="127.0.0.1", **fields):
        """One request on a connection of its own. Fields replace and add to the usual ones; _ stands for -."""
        with socket.create_connection((host, broker.port), timeout=PATIENCE) as s:
            s.sendall(head_of(len(body), **fields) + body)
            return read_answer(s)

    def call(self, broker, to="127.0.0.1", message=b"", **fields):
        with h2.Connection(broker.port, to) as c:
            return c.export(h2.LOGS, message, headers={k.replace("_", "-"): v for k, v in fields.items()})

    def assert_nobody(self, broker):
        """Nothing has come through."""
        self.assertEqual(broker.status()["sessions"], [])

    def write_token(self, box, text=TOKEN + "\n", mode=0o600):
        path = box.dir / "token"
        path.write_text(text)
        path.chmod(mode)
        return path

    def refused_start(self, *args, env=None):
        """What the broker says that does not start."""
        with Sandbox(env) as box:
            done = box.run("agentbusd", "--listen", "127.0.0.1:0", *args)
            self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
            return done.stderr


class Names(AccessCase):
    """A page's own name may lead to 127.0.0.1: the name that was asked for tells."""

    def test_foreign_hosts(self):
        with Broker() as broker:
            for name in FOREIGN_HOSTS:
                with self.subTest(name):
                    self.assert_http(self.send(broker, request_of("x"), Host=name), 403, 7)
                    self.assert_http(self.send(broker, json_of("x"), Host=name, kind=JSON["Content-Type"]), 403, 7, JSON)
                    if name and "@" not in name:  # others are no HTTP/2
                        self.assert_grpc(self.call(broker, message=request_of("x"), **{":authority": None, "host": name}), DENIED)
                        self.assert_grpc(self.call(broker, message=request_of("x"), **{":authority": name}), DENIED)
            with dial(broker) as s:  # neither health nor a path that does not exist is told
                s.sendall(b"GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n")
                answer = read_answer(s)
                self.assertEqual(answer.status, 403)
                self.assertNotIn(b"version", answer.body)
            self.assertEqual(self.send(broker, Host="evil.example", path="/nowhere").status, 403)
            self.assert_nobody(broker)

    def test_own_hosts(self):
        with Broker() as broker:
            for name in OWN_HOSTS:
                with self.subTest(name):
                    self.assertEqual(self.send(broker, Host=name).status, 200)
                    self.assertEqual(self.call(broker, **{":authority": name}).grpc_status, OK)

    def test_two_hosts(self):
        """The first one counts, and over HTTP/2 `:authority` before it: a browser sends one of them."""
        with Broker() as broker:
            for first, second, status in (("localhost", "evil.example", 200), ("evil.example", "localhost", 403)):
                with dial(broker) as s:
                    s.sendall(head_of(0, Host=first)[:-2] + f"Host: {second}\r\n\r\n".encode())
                    self.assertEqual(read_answer(s).status, status)
                code = OK if status == 200 else DENIED
                self.assertEqual(self.call(broker, **{":authority": first, "host": second}).grpc_status, code)

    def test_allow_hosts(self):
        with Broker("--allow-hosts", "devbox, host.docker.internal:4317 10.1.2.3 [2001:db8::1]") as broker:
            for name, ours in (("devbox", True), ("DevBox:99", True), ("host.docker.internal:4317", True), ("host.docker.internal", False),
                               ("host.docker.internal:4318", False), ("10.1.2.3:4318", True), ("10.1.2.4", False), ("[2001:db8::1]:4318", True),
                               ("a.devbox", False), ("devbox.evil.example", False), ("localhost", True)):
                with self.subTest(name):
                    self.assertEqual(self.send(broker, Host=name).status, 200 if ours else 403)
                    self.assertEqual(self.call(broker, **{":authority": name}).grpc_status, OK if ours else DENIED)


class Pages(AccessCase):
    """A browser tells whose page sends; only those that are named may."""

    def test_foreign_origins(self):
        with Broker() as broker:
            for origin in FOREIGN_ORIGINS:
                with self.subTest(origin):
                    answer = self.send(broker, request_of("x"), Origin=origin)
                    self.assert_http(answer, 403, 7)
                    self.assertNotIn("access-control-allow-origin", answer.headers)
                    self.assert_http(self.send(broker, json_of("x"), Origin=origin, kind=JSON["Content-Type"]), 403, 7, JSON)
                    self.assert_grpc(self.call(broker, message=request_of("x"), origin=origin), DENIED)
                    answer = self.preflight(broker, origin)
                    self.assertEqual(answer.status, 403)
                    self.assertNotIn("access-control-allow-origin", answer.headers)
            # What a form or fetch() can send without asking first: types that are no OTLP, either.
            for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
                self.assertEqual(self.send(broker, json_of("x"), kind=kind).status, 415)
                self.assertEqual(self.send(broker, json_of("x"), kind=kind, Origin="https://evil.example").status, 403)
            self.assert_nobody(broker)

    def preflight(self, broker, origin):
        with dial(broker) as s:
            s.sendall(f"OPTIONS /v1/logs HTTP/1.1\r\nHost: localhost\r\nOrigin: {origin}\r\nAccess-Control-Request-Method: POST\r\n"
                      "Access-Control-Request-Headers: content-type,authorization\r\n\r\n".encode())
            return read_answer(s)

    def test_allow_origins(self):
        with Broker("--allow-origins", f"{PAGE} http://localhost:3000, null") as broker:
            for origin in (PAGE, PAGE.upper(), "http://localhost:3000"):
                answer = self.send(broker, request_of("page"), Origin=origin)
                self.assertEqual((answer.status, answer.headers["access-control-allow-origin"], answer.headers["vary"]), (200, origin, "Origin"))
                self.assertEqual(self.call(broker, origin=origin).grpc_status, OK)
            refused = self.send(broker, b"\xff", Origin=PAGE)
            self.assert_http(refused, 400, 3)
            self.assertEqual(refused.headers["access-control-allow-origin"], PAGE)  # else the page could not read why
            for origin in FOREIGN_ORIGINS:
                if origin != "http://localhost:3000":
                    answer = self.send(broker, Origin=origin)
                    self.assertEqual((answer.status, answer.headers.get("access-control-allow-origin")), (403, None), origin)
                    self.assertEqual(self.call(broker, origin=origin).grpc_status, DENIED, origin)

    def test_preflight(self):
        with Broker("--allow-origins", PAGE) as broker:
            answer = self.preflight(broker, PAGE)
            self.assertEqual((answer.status, answer.body), (204, b""))
            self.assertEqual(answer.headers["access-control-allow-origin"], PAGE)
            self.assertEqual(answer.headers["access-control-allow-methods"], "POST")
            self.assertEqual(set(answer.headers["access-control-allow-headers"].split(", ")), {"authorization", "content-encoding", "content-type"})
            self.assertNotIn("access-control-allow-credentials", answer.headers)
            self.assertEqual(self.preflight(broker, "https://other.example").status, 403)

    def test_any_origin(self):
        with Broker("--allow-origins", "*") as broker:
            for origin in (PAGE, "null", "https://evil.example"):
                self.assertEqual(self.send(broker, Origin=origin).status, 200)
                self.assertEqual(self.call(broker, origin=origin).grpc_status, OK)
            self.assertEqual(self.send(broker, Origin=PAGE, Host="evil.example").status, 403)  # a name is still asked for


class Tokens(AccessCase):
    WRONG = (None, "", "Bearer", "Bearer ", "Bearer wrong", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN.upper()}",
             f"Basic {TOKEN}", TOKEN, f"Bearer{TOKEN}", f"Bearer {TOKEN} {TOKEN}")

    def check(self, broker, host="127.0.0.1"):
        for value in self.WRONG:
            fields = {} if value is None else {"Authorization": value}
            with self.subTest(value):
                answer = self.send(broker, request_of("x"), host, **fields)
                self.assert_http(answer, 401, 16)
                self.assertEqual(answer.headers["www-authenticate"], "Bearer")
                answer = self.send(broker, json_of("x"), host, kind=JSON["Content-Type"], **fields)
                self.assert_http(answer, 401, 16, JSON)
                if not (value or "").endswith(" "):  # which is no HTTP/2
                    self.assert_grpc(self.call(broker, host, request_of("x"), authorization=value), UNAUTHENTICATED)
        self.assert_nobody(broker)
        for value in (f"Bearer {TOKEN}", f"bearer {TOKEN}", f"Bearer   {TOKEN}"):
            self.assertEqual(self.send(broker, request_of("in"), host, Authorization=value).status, 200)
            self.assertEqual(self.call(broker, host, authorization=value).grpc_status, OK)
        self.assertEqual(list(broker.sessions()), ["in"])

    def test_token(self):
        with Broker(start=False) as broker:
            broker.args = ["--token-file", str(self.write_token(broker))]
            broker.start_daemon()
            self.check(broker)
            self.assertEqual(broker.get("/healthz").status, 401)
            self.assertNotIn(TOKEN, broker.daemon.stderr())
            self.assertNotIn(TOKEN, Path(f"/proc/{broker.pid}/cmdline").read_text())

    def test_token_and_pages(self):
        """A preflight cannot carry a token, so it needs none; a page reads why it was refused."""
        with Broker(start=False) as broker:
            broker.args = ["--token-file", str(self.write_token(broker)), "--allow-origins", PAGE]
            broker.start_daemon()
            self.assertEqual(Pages.preflight(self, broker, PAGE).status, 204)
            self.assertEqual(Pages.preflight(self, broker, "https://evil.example").status, 403)
            answer = self.send(broker, Origin=PAGE)
            self.assert_http(answer, 401, 16)
            self.assertEqual(answer.headers["access-control-allow-origin"], PAGE)
            self.assertEqual(self.send(broker, Origin=PAGE, Authorization=f"Bearer {TOKEN}").status, 200)
            # Who has the token may still not be a page, or ask for another name.
            self.assertEqual(self.send(broker, Origin="https://evil.example", Authorization=f"Bearer {TOKEN}").status, 403)
            self.assertEqual(self.send(broker, Host="evil.example", Authorization=f"Bearer {TOKEN}").status, 403)

    def test_token_file_that_others_can_read(self):
        for mode in (0o640, 0o604, 0o620, 0o644):
            with Sandbox() as box:
                path = self.write_token(box, mode=mode)
                done = box.run("agentbusd", "--listen", "127.0.0.1:0", "--token-file", path)
                self.assertEqual((done.returncode, done.stdout), (1, ""), oct(mode))
                self.assertIn(f"{path} holds a token and is open to others", done.stderr)
                self.assertIn("chmod 600", done.stderr)
                self.assertNotIn(TOKEN, done.stderr)

    def test_token_files_that_are_none(self):
        for text in ("", "\n", "short\n", "with a space in it all\n", "x" * 2000 + "\n", "not-ascii-é-not-ascii\n"):
            with Sandbox() as box:
                done = box.run("agentbusd", "--listen", "127.0.0.1:0", "--token-file", self.write_token(box, text))
                self.assertEqual((done.returncode, done.stdout), (1, ""), text[:20])
                self.assertRegex(done.stderr, "token")
        self.assertIn("No such file", self.refused_start("--token-file", "/nonexistent/token"))
        self.assertIn("regular file", self.refused_start("--token-file", "/"))
        with Sandbox() as box:
            os.mkfifo(box.dir / "pipe", 0o600)
            self.assertEqual(box.run("agentbusd", "--listen", "127.0.0.1:0", "--token-file", box.dir / "pipe").returncode, 1)

    def test_beyond_loopback(self):
        """Whoever can reach such an address could send: not without a token."""
        for address in ("0.0.0.0:0", "[::]:0", *(f"{a}:0" for a in own_addresses()[:1])):
            said = self.refused_start("--listen", address)
            self.assertIn(f"{address} is no loopback address", said)
            self.assertIn("--token-file", said)
        with Broker(start=False, listen=("0.0.0.0:0",)) as broker:
            broker.args = ["--token-file", str(self.write_token(broker))]
            broker.start_daemon()
            self.check(broker)
            for address in own_addresses()[:1]:
                with self.subTest("from outside, as far as one machine can tell"):
                    self.assertEqual(self.send(broker, host=address, Host=address, Authorization=f"Bearer {TOKEN}").status, 200)
                    self.assertEqual(self.send(broker, host=address, Host=address).status, 401)
                    self.assertEqual(self.send(broker, host=address, Host="evil.example", Authorization=f"Bearer {TOKEN}").status, 403)
                    self.assertEqual(self.call(broker, address, authorization=f"Bearer {TOKEN}").grpc_status, OK)


@needs_root
class OtherUsers(AccessCase):
    CHILD = """
import encodings.idna, os, socket, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
body = bytes.fromhex(sys.argv[2])
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=20)
s.sendall(b"POST /v1/logs HTTP/1.1\\r\\nHost: localhost\\r\\nContent-Type: application/x-protobuf\\r\\nConnection: close\\r\\n"
          b"Content-Length: %d\\r\\n\\r\\n" % len(body) + body)
answer = b""
while piece := s.recv(65536):
    answer += piece
sys.stdout.buffer.write(answer)
"""

    def child(self, broker, body):
        """Another user's process, from its beginning to its end."""
        done = subprocess.run([sys.executable, "-c", self.CHILD, str(broker.port), body.hex()], capture_output=True, cwd="/", timeout=PATIENCE)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_refused(self):
        with Broker() as broker:
            answer = self.child(broker, request_of("x"))
            self.assertTrue(answer.startswith(b"HTTP/1.1 403 "), answer)
            self.assert_status(answer.partition(b"\r\n\r\n")[2], PB["Content-Type"], 7)
            self.assertIn(b"allow-other-users", answer)
            with other_user(), dial(broker) as s:
                s.sendall(head_of(0, kind=JSON["Content-Type"]))
                self.assert_http(read_answer(s), 403, 7, JSON)
            with other_user(), h2.Connection(broker.port) as c:
                self.assert_grpc(c.export(h2.LOGS, request_of("x")), DENIED)
                self.assert_grpc(c.export(h2.TRACES, b"\xff"), DENIED)  # whatever it says
            self.assert_nobody(broker)
            self.assert_well(broker)

    def test_refused_with_a_token(self):
        """It is no key to another user's broker on loopback."""
        with Broker(start=False) as broker:
            broker.args = ["--token-file", str(self.write_token(broker))]
            broker.start_daemon()
            with other_user():
                self.assert_http(self.send(broker, request_of("x"), Authorization=f"Bearer {TOKEN}"), 403, 7)
                self.assert_grpc(self.call(broker, authorization=f"Bearer {TOKEN}"), DENIED)

    def test_cannot_take_all_places(self):
        """However many connections it makes, from whatever loopback address."""
        with Broker("--max-connections", "40", "--max-connections-per-peer", "30", "--header-timeout", "1h") as broker:
            with contextlib.ExitStack() as stack:
                with other_user():
                    for n in range(120):
                        s = stack.enter_context(dial(broker, f"127.0.0.{n % 12 + 1}"))
                        with contextlib.suppress(OSError):
                            s.sendall(b"POST ")
                self.assert_well(broker)
                own = [stack.enter_context(dial(broker)) for _ in range(20)]
                for s in own:
                    s.sendall(head_of(0))
                    self.assertEqual(read_answer(s).status, 200)
            self.assert_well(broker)

    def test_allow_other_users(self):
        with Broker("--allow-other-users") as broker:
            self.assertIn(b" 200 ", self.child(broker, request_of("in")).split(b"\r\n")[0])
            with other_user(), h2.Connection(broker.port) as c:
                self.assertEqual(c.export(h2.LOGS, request_of("in", request_id="req_2")).grpc_status, OK)
            self.assertEqual(broker.sessions()["in"]["requests"], 2)

    BUS_CHILD = """
import encodings.idna, os, socket, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
s = socket.socket(socket.AF_UNIX)
s.settimeout(20)
s.connect(sys.argv[1])
s.sendall(bytes.fromhex(sys.argv[2]))
got = b""
try:
    while piece := s.recv(65536):
        got += piece
    print("closed", got.hex())
except ConnectionResetError:
    print("closed", got.hex())
"""

    def bus_child(self, path, greeting, check=True):
        done = subprocess.run([sys.executable, "-c", self.BUS_CHILD, str(path), greeting.hex()], capture_output=True, text=True, cwd="/",
                              timeout=PATIENCE)
        if check:
            self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def test_bus_sockets(self):
        """Closed by their modes; and where somebody opened them, another user is greeted, as anybody is, and dropped."""
        # SP, version 0, and what connects: a subscriber, and a requester with a request of 8 bytes.
        greetings = {"events": b"\0SP\0\0\x21\0\0", "query": b"\0SP\0\0\x30\0\0" + b"\1" + (8).to_bytes(8, "big") + b"\x80\0\0\1" + bytes(4)}
        with Broker() as broker:
            watch = broker.watch()
            for name, greeting in greetings.items():
                self.assertIn("PermissionError", self.bus_child(broker.runtime / name, greeting, check=False).stderr)
            broker.dir.chmod(0o755)
            broker.runtime.chmod(0o755)
            for name, greeting in greetings.items():
                (broker.runtime / name).chmod(0o777)
                for n in range(5):
                    said = self.bus_child(broker.runtime / name, greeting).stdout.split()
                    self.assertEqual(said[0], "closed")
                    self.assertLessEqual(len(said[1]) if len(said) > 1 else 0, 2 * 8, "more than a greeting was told")
            self.assertEqual(broker.post("/v1/logs", otlp.claude(otlp.claude_prompt("own")), PB).status, 200)
            watch.wait_for(lambda e: e["kind"] == "prompt" and e["session"]["id"] == "own")
            self.assertEqual(list(broker.sessions()), ["own"])

    def test_directories_of_another_user(self):
        with Sandbox() as box:
            foreign = box.dir / "foreign"
            foreign.mkdir(mode=0o777)
            foreign.chmod(0o777)
            os.chown(foreign, NOBODY, NOBODY)
            done = box.run("agentbusd", "--listen", "127.0.0.1:0", "--runtime-dir", foreign)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn(f"{foreign} belongs to user {NOBODY}", done.stderr)
            self.assertEqual(list(foreign.iterdir()), [])

    def test_state_directory_of_another_user(self):
        """Nothing is written there, and nothing is taken that could not be kept."""
        with Broker(start=False) as broker:
            foreign = broker.dir / "foreign"
            foreign.mkdir(mode=0o777)
            foreign.chmod(0o777)
            os.chown(foreign, NOBODY, NOBODY)
            broker.args = ["--state-dir", str(foreign)]
            broker.start_daemon()
            self.assertIn(f"{foreign} belongs to user {NOBODY}", broker.daemon.stderr())
            self.assert_http(broker.post("/v1/logs", request_of("x")), 503, 14, retry=True)
            self.assertEqual(list(foreign.iterdir()), [])


class Files(AccessCase):
    def test_modes(self):
        """Whatever the umask was, and however open things were left."""
        old = os.umask(0)
        try:
            with Broker() as broker:
                self.assertEqual(broker.post("/v1/logs", request_of("modes")).status, 200)
                found = {}
                for top in (broker.runtime, broker.dir / "state"):
                    for path in (top, *top.rglob("*")):
                        mode = path.lstat().st_mode
                        found[path.name] = mode
                        self.assertEqual(stat.S_IMODE(mode), 0o700 if stat.S_ISDIR(mode) else 0o600, path)
                for name in ("events", "query"):
                    self.assertTrue(stat.S_ISSOCK(found[name]), name)
                self.assertIn("agentbus.db", found)
                self.assertIn("agentbus.db-wal", found)
                self.assertIn("\nUmask:\t0077\n", Path(f"/proc/{broker.pid}/status").read_text())
        finally:
            os.umask(old)

    def test_open_directories_are_closed(self):
        with Broker(start=False) as broker:
            for path in (broker.runtime, broker.dir / "state" / "agentbus"):
                path.mkdir(parents=True)
                path.chmod(0o777)
            broker.start_daemon()
            for path in (broker.runtime, broker.dir / "state" / "agentbus"):
                self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o700)

    def test_link_in_place_of_a_directory(self):
        """What it leads to counts."""
        with Broker(start=False) as broker:
            (broker.dir / "elsewhere").mkdir()
            (broker.dir / "elsewhere").chmod(0o755)
            (broker.dir / "state").mkdir()
            (broker.dir / "state" / "agentbus").symlink_to(broker.dir / "elsewhere")
            if os.geteuid() == 0:
                os.chown(broker.dir / "elsewhere", NOBODY, NOBODY)
            broker.start_daemon()
            self.assertEqual(broker.post("/v1/logs", request_of("x")).status, 503 if os.geteuid() == 0 else 200)
            self.assertEqual(stat.S_IMODE((broker.dir / "elsewhere").stat().st_mode), 0o755 if os.geteuid() == 0 else 0o700)

    def tree(self, top):
        return {str(p.relative_to(top)) for p in top.rglob("*")}

    OWN = r"(agentbus|state)(/.*)?|state/agentbus/.*|\d+-agentbusd?\.stderr|sanitizer\..*"

    def work(self, broker):
        """A little of everything that leads to files."""
        self.assertEqual(broker.post("/v1/logs", request_of("../../escape")).status, 200)
        self.assertEqual(self.call(broker, message=request_of("/etc/escape")).grpc_status, OK)
        broker.post("/v1/logs", b"\xff")
        broker.raw(b"GET /../../../etc/passwd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        broker.status()

    def test_nothing_is_written_elsewhere(self):
        with Broker() as broker:
            self.work(broker)
            broker.stop()
            strange = {p for p in self.tree(broker.dir) if not re.fullmatch(self.OWN, p)}
            self.assertEqual(strange, set())

    def test_no_file_is_opened_for_writing_elsewhere(self):
        """By what the system is asked for, where strace may look."""
        if not shutil.which("strace") or SANITIZED:
            self.skipTest("no strace, or sanitizers")
        with Broker(start=False) as broker:
            trace = broker.dir / "0-agentbus.stderr"
            argv = ["strace", "-f", "-qq", "-o", str(trace), "-e", "trace=open,openat,creat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,"
                    "symlinkat,unlink,unlinkat,mknod,truncate,bind,chmod,fchmodat", str(broker.program("agentbusd")), "--listen", "127.0.0.1:0",
                    "--core-dumps"]  # else only root may look
            process = subprocess.Popen(argv, env=broker.env, cwd=broker.dir, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            line = process.stdout.readline()
            try:
                if not line:
                    self.skipTest(f"strace may not start it here: {process.stderr.read()[:200]}")
                broker.port = int(line.rpartition(":")[2])
                self.work(broker)
            finally:
                broker.disconnect()
                children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
                for pid in children:  # strace itself would wait
                    os.kill(int(pid), signal.SIGTERM)
                process.communicate(timeout=PATIENCE)
            writes = [s for s in trace.read_text().splitlines() if "= -1" not in s and not re.search(r"\bO_RDONLY\b", s) and '"' in s]
            paths = {p for s in writes for p in re.findall(r'"([^"]*)"', s)}
            # /proc/self: names of threads.
            own = (f"{broker.dir}/agentbus", f"{broker.dir}/state", "/dev/null", "/proc/self/")
            strange = {p for p in paths if p.startswith("/") and not p.startswith(own)}
            self.assertGreater(len(writes), 3)
            print(f"{len(writes)} calls that change files, of {sorted({os.path.basename(p) for p in paths})}")
            # Directories on the way are made, or found to be there.
            self.assertEqual({p for p in strange if not str(broker.dir).startswith(p)}, set())


class Memory(AccessCase):
    """What a crash or a debugger of another user could show."""

    def start_as_nobody(self, broker, *args):
        """Root's /proc shows nothing of this: as another user then. Gives the pid."""
        program = broker.dir / "agentbusd"
        shutil.copy(broker.program("agentbusd"), program)
        program.chmod(0o755)
        for path in (broker.dir, program):
            os.chown(path, NOBODY, NOBODY)
        log = open(broker.dir / "daemon.stderr", "wb")
        process = subprocess.Popen([program, "--listen", "127.0.0.1:0", *args], env={**broker.env, "ASAN_OPTIONS": "detect_leaks=0"}, cwd=broker.dir,
                                   user=NOBODY, group=NOBODY, extra_groups=[], stdout=subprocess.PIPE, stderr=log, text=True)
        log.close()
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertIn("ready", process.stdout.readline(), (broker.dir / "daemon.stderr").read_text())
        return process.pid

    def look(self, pid):
        """(Who owns the memory as the kernel shows it, size of a core file)."""
        limits = Path(f"/proc/{pid}/limits").read_text()
        return os.stat(f"/proc/{pid}/mem").st_uid, re.search(r"Max core file size\s+(\S+)", limits)[1]

    def test_no_core_and_not_dumpable(self):
        """What cannot be dumped belongs to root, whoever runs it."""
        for args, dumpable in (((), False), (("--core-dumps",), True)):
            with self.subTest(args), Broker(*args, start=os.geteuid() != 0) as broker:
                pid = self.start_as_nobody(broker, *args) if os.geteuid() == 0 else broker.pid
                user = NOBODY if os.geteuid() == 0 else os.geteuid()
                owner, core = self.look(pid)
                self.assertEqual(owner, user if dumpable else 0)
                if not dumpable:
                    self.assertEqual(core, "0")

    def test_crash_leaves_no_core(self):
        with Broker() as broker:
            before = set(broker.dir.iterdir())
            self.assertEqual(broker.post("/v1/logs", request_of("x")).status, 200)
            os.kill(broker.pid, signal.SIGKILL if SANITIZED else signal.SIGABRT)
            broker.daemon.wait()
            broker.processes.remove(broker.daemon)
            self.assertEqual([p for p in set(broker.dir.iterdir()) - before if "core" in p.name], [])


class Log(AccessCase):
    """The broker's own log may go anywhere: nothing that somebody sent is in it, whatever went wrong. Nor is a prompt in any file."""

    def test_nothing_of_content(self):
        word = "plantedword"
        with Broker("--log-level", "debug", "--max-header", "4K", "--max-body", "64K", "--request-timeout", "300ms", start=False) as broker:
            broker.args += ["--token-file", str(self.write_token(broker, f"{word}-the-token\n"))]
            broker.start_daemon()
            good = {"Authorization": f"Bearer {word}-the-token"}
            for body in (request_of(word), b"\xff" + word.encode(), word.encode() * 10_000, otlp.nested("/v1/logs", 100),
                         otlp.claude(otlp.claude_prompt(word, prompt=f"{word} in a prompt", **{word: word}))):
                for fields in (good, {}, {"Authorization": f"Bearer {word}"}, {**good, "Host": f"{word}.example"}, {**good, "Origin": f"https://{word}"},
                               {**good, "Content-Encoding": word}, {**good, "X-" + word: word}, {**good, "X-Large": word * 450}, {**good, "kind": word},
                               {**good, "path": f"/{word}"}, {**good, "path": f"/v1/logs?{word}"}):
                    self.send(broker, body, **fields)
                for fields in ({"authorization": good["Authorization"]}, {"authorization": word}, {":authority": word}, {":path": f"/{word}"},
                               {"x-" + word: word * 450}, {"grpc-encoding": word}, {"origin": word}):
                    self.call(broker, message=body, **fields)
            broker.raw(word.encode() + b" / HTTP/1.1\r\n\r\n")
            with dial(broker) as s:
                s.sendall(head_of(100, **good) + word.encode())
                self.assertEqual(read_answer(s).status, 408)
            with contextlib.suppress(h2.Closed, OSError), h2.Connection(broker.port) as c:
                c.sock.sendall(word.encode() * 1000)
                c.wait_closed()
            broker.stop()
            log = broker.dir / "0-agentbusd.stderr"
            text = log.read_text()
            self.assertGreater(len(text.splitlines()), 5, "nothing was refused")
            self.assertNotIn(word, text)
            self.assertNotIn("prompt", text)
            for path in (broker.dir / "state").rglob("*"):
                if path.is_file():
                    self.assertNotIn(b"in a prompt", path.read_bytes(), path)
                    self.assertNotIn(b"the-token", path.read_bytes(), path)


if __name__ == "__main__":
    unittest.main()
