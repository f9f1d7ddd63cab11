"""A mouse for a headless compositor: the few requests of Wayland's wire format that move it and press a button."""
import socket
import struct

MANAGER = "zwlr_virtual_pointer_manager_v1"
DISPLAY, REGISTRY, SYNC, POINTERS, POINTER = range(1, 6)
BUTTONS = {"left": 0x110, "right": 0x111}


class Pointer:
    """Exists, for the compositor, until it is closed."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(str(path))
        self.pending = b""
        self.request(DISPLAY, 1, REGISTRY)
        self.request(DISPLAY, 0, SYNC)
        name = None
        for of, event, body in self.events():
            if (of, event) == (REGISTRY, 0):
                number, length = struct.unpack("=II", body[:8])
                if body[8:8 + length - 1].decode() == MANAGER:
                    name = number
            elif of == SYNC:
                break
        if name is None:
            raise AssertionError("the compositor lets nobody make a pointer")
        self.request(REGISTRY, 0, name, MANAGER, 1, POINTERS)
        self.request(POINTERS, 0, 0, POINTER)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.socket.close()

    def request(self, of, opcode, *arguments):
        body = b""
        for a in arguments:
            if isinstance(a, str):
                text = a.encode() + b"\0"
                body += struct.pack("=I", len(text)) + text + b"\0" * (-len(text) % 4)
            else:
                body += struct.pack("=I", a)
        self.socket.sendall(struct.pack("=II", of, (8 + len(body)) << 16 | opcode) + body)

    def events(self):
        while True:
            while len(self.pending) >= 8:
                of, head = struct.unpack("=II", self.pending[:8])
                if len(self.pending) < head >> 16:
                    break
                body, self.pending = self.pending[8:head >> 16], self.pending[head >> 16:]
                yield of, head & 0xffff, body
            piece = self.socket.recv(65536)
            if not piece:
                raise AssertionError("the compositor hung up")
            self.pending += piece

    def move(self, x, y, width, height):
        """To a place on an output of that size, from the pixel beside it: coming from nowhere is no entering for some."""
        for at in (x - 1, x):
            self.request(POINTER, 1, 0, at, y, width, height)
            self.request(POINTER, 4)

    def click(self, button):
        for pressed in (1, 0):
            self.request(POINTER, 2, 0, BUTTONS[button], pressed)
            self.request(POINTER, 4)
