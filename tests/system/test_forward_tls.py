"""Passing on over TLS: whom the broker believes, and that nobody comes between."""
import shutil
import ssl
import subprocess
import tempfile
import unittest
from pathlib import Path

from backend import Backend, ForwardBroker, ForwardTest, config


class Verified(ForwardTest):
    @classmethod
    def setUpClass(cls):
        if not shutil.which("openssl"):
            raise unittest.SkipTest("no openssl")
        cls.dir = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.dir.cleanup)
        cls.ours = cls.certificate("ours", "IP:127.0.0.1")
        cls.others = cls.certificate("others", "DNS:backend.example")

    @classmethod
    def certificate(cls, name, subject):
        """A certificate that vouches for itself, with its key; gives its path."""
        path = Path(cls.dir.name) / f"{name}.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                        f"/CN={name}", "-addext", f"subjectAltName={subject}", "-keyout", f"{path}.key", "-out", str(path)],
                       check=True, capture_output=True)
        return path

    def backend(self, certificate):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, f"{certificate}.key")
        return Backend(tls=context)

    def refused(self, backend, **keys):
        with backend, ForwardBroker(config=config(a={"url": backend.url, **keys})) as broker:
            broker.send(2)
            lane = broker.wait_lane(lambda l: l["retries"] > 1)
            self.assertEqual((lane["queued_items"], lane["sent_items"], backend.count()), (2, 0, 0))
            return lane["last_error"].lower()

    def test_known_authority(self):
        with self.backend(self.ours) as backend, ForwardBroker(config=config(a={"url": backend.url, "ca_file": self.ours})) as broker:
            backend.wait_ids(broker.send(5))
            self.assert_in_order(backend, broker.acknowledged)

    def test_unknown_authority(self):
        self.assertIn("certificate", self.refused(self.backend(self.ours)))

    def test_another_name(self):
        self.assertRegex(self.refused(self.backend(self.others), ca_file=self.others), "no alternative certificate subject name|127.0.0.1")

    def test_no_proxy(self):
        nobody = {name: "http://127.0.0.1:9" for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")}
        with Backend() as backend, ForwardBroker("--forward", backend.url, env=nobody) as broker:
            backend.wait_ids(broker.send(1))


if __name__ == "__main__":
    unittest.main()
