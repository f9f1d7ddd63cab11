"""A notification daemon that does what a test wants: the few messages of D-Bus that it takes, on a socket.

    with FakeDaemon(path_of_the_bus, ["body", "actions"]) as daemon:
        note = daemon.wait_for(lambda n: n["summary"] == "Codex finished")
        daemon.signal("ActionInvoked", note["id"], "focus")
"""
import os
import socket
import struct
import threading
import time

from harness import PATIENCE

NAME, PATH = "org.freedesktop.Notifications", "/org/freedesktop/Notifications"
CALL, RETURN, SIGNAL = 1, 2, 4
ALIGNMENT = {"y": 1, "g": 1, "v": 1, "a": 4, "u": 4, "i": 4, "b": 4, "s": 4, "o": 4, "(": 8, "{": 8}


class Reader:
    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def align(self, n):
        self.at = (self.at + n - 1) // n * n

    def number(self, code, size):
        self.align(size)
        self.at += size
        return struct.unpack_from("<" + code, self.data, self.at - size)[0]

    def text(self, length):
        self.at += length + 1
        return self.data[self.at - length - 1:self.at - 1].decode()

    def value(self, signature):
        """Reads one value; gives it and the rest of the signature."""
        kind, rest = signature[0], signature[1:]
        if kind in "yuib":
            return self.number({"y": "B", "i": "i"}.get(kind, "I"), ALIGNMENT[kind]), rest
        if kind in "so":
            return self.text(self.number("I", 4)), rest
        if kind == "g":
            return self.text(self.number("B", 1)), rest
        if kind == "v":
            return self.value(self.text(self.number("B", 1)))[0], rest
        if kind in "({":
            self.align(8)
            fields = []
            while rest[0] not in ")}":
                field, rest = self.value(rest)
                fields.append(field)
            return tuple(fields), rest[1:]
        length = self.number("I", 4)
        self.align(ALIGNMENT[rest[0]])
        end, items, after = self.at + length, [], None
        while self.at < end:
            item, after = self.value(rest)
            items.append(item)
        return (dict(items) if rest[0] == "{" else items), after if after is not None else skip(rest)

    def values(self, signature):
        while signature:
            value, signature = self.value(signature)
            yield value


def skip(signature):
    """The signature without its first type."""
    depth = 0
    for i, c in enumerate(signature):
        depth += (c in "({") - (c in ")}")
        if depth == 0 and c != "a":
            return signature[i + 1:]
    return ""


class Writer:
    def __init__(self):
        self.data = bytearray()

    def align(self, n):
        self.data += bytes(-len(self.data) % n)

    def number(self, n):
        self.align(4)
        self.data += struct.pack("<I", n)

    def text(self, s):
        self.number(len(s.encode()))
        self.data += s.encode() + b"\0"

    def signature(self, s):
        self.data += bytes([len(s)]) + s.encode() + b"\0"

    def values(self, signature, values):
        for kind, value in zip(signature.replace("as", "A"), values):
            if kind == "A":
                inner = Writer()
                for s in value:
                    inner.text(s)
                self.number(len(inner.data))
                self.data += inner.data
            else:
                (self.text if kind == "s" else self.number)(value)


class FakeDaemon:
    def __init__(self, bus, capabilities, name=NAME):
        self.capabilities = capabilities
        self.notes, self.closed = [], []
        self.asked = 0
        self.serial = 0
        self.next_id = 100
        self._changed = threading.Condition()
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(bus))
        self.socket.sendall(b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\r\n")
        if not self.socket.recv(256).startswith(b"OK"):
            raise AssertionError("the bus does not know who this is")
        self.socket.sendall(b"BEGIN\r\n")
        self.thread = threading.Thread(target=self._run, daemon=True)
        self._bus("Hello")
        if name:
            self._bus("RequestName", "su", name, 0)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join(PATIENCE)
        self.socket.close()

    def _send(self, kind, fields, signature="", values=()):
        """fields: (code, signature, value) of the header."""
        body, head = Writer(), Writer()
        body.values(signature, values)
        self.serial += 1
        head.data += struct.pack("<cBBBII", b"l", kind, 0, 1, len(body.data), self.serial)
        inner = Writer()
        for code, kind_of, value in fields + ([(8, "g", signature)] if signature else []):
            inner.align(8)
            inner.data += bytes([code])
            inner.signature(kind_of)
            {"g": inner.signature, "u": inner.number}.get(kind_of, inner.text)(value)
        head.number(len(inner.data))
        head.data += inner.data  # the array begins at byte 16, so that it is aligned as it is
        head.align(8)
        self.socket.sendall(head.data + body.data)

    def _bus(self, member, signature="", *values):
        self._send(CALL, [(1, "o", "/org/freedesktop/DBus"), (2, "s", "org.freedesktop.DBus"), (3, "s", member),
                          (6, "s", "org.freedesktop.DBus")], signature, values)

    def signal(self, member, note_id, value):
        """ActionInvoked and ActivationToken have text, NotificationClosed a number."""
        self._send(SIGNAL, [(1, "o", PATH), (2, "s", NAME), (3, "s", member)], "us" if isinstance(value, str) else "uu", (note_id, value))

    def _receive(self, count):
        data = b""
        while len(data) < count:
            piece = self.socket.recv(count - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def _run(self):
        try:
            while True:
                start = self._receive(16)
                kind, body_size, serial, fields_size = start[1], *struct.unpack_from("<III", start, 4)
                fields = self._receive((fields_size + 7) // 8 * 8)
                body = self._receive(body_size)
                header = dict(Reader(start + fields, 12).value("a(yv)")[0])
                if kind == CALL:
                    self._answer(header, serial, list(Reader(body).values(header.get(8, ""))))
        except (EOFError, OSError):
            pass

    def _answer(self, header, serial, values):
        with self._changed:
            signature, answer = getattr(self, "_on_" + header[3], lambda *_: ("", ()))(*values)
            self._send(RETURN, [(5, "u", serial), (6, "s", header[7])], signature, answer)
            self._changed.notify_all()

    def _on_GetCapabilities(self):
        self.asked += 1
        return "as", (self.capabilities,)

    def _on_Notify(self, app, replaces, icon, summary, body, actions, hints, timeout):
        self.next_id += not replaces
        self.notes.append({"id": replaces or self.next_id, "app": app, "replaces": replaces, "icon": icon, "summary": summary, "body": body,
                           "actions": actions, "hints": hints, "timeout": timeout, "at": time.monotonic()})
        return "u", (self.notes[-1]["id"],)

    def _on_CloseNotification(self, note_id):
        self.closed.append(note_id)
        self.signal("NotificationClosed", note_id, 3)
        return "", ()

    def wait_until(self, condition, complaint="the daemon waited in vain"):
        deadline = time.monotonic() + PATIENCE
        with self._changed:
            while not condition():
                left = deadline - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"{complaint}: {self.notes}")
                self._changed.wait(left)

    def wait_for(self, predicate):
        """The first notification that it accepts."""
        self.wait_until(lambda: any(map(predicate, self.notes)))
        return next(filter(predicate, self.notes))
