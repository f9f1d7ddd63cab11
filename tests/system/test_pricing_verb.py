"""agentbus pricing: what is in force, what is wrong with a file, and LiteLLM's list made ours. No broker runs in most of this."""
import json
import os
import unittest
from decimal import Decimal

import otlp
from harness import REPO, Broker, Sandbox
from test_cli import SGR, Terminal
from test_cost import MODELS, pico, request, status

LITELLM = {
    "sample_spec": {"mode": "one of: chat, embedding", "input_cost_per_token": 0.0, "output_cost_per_token": 0.0},
    "gemini/gemini-9": {"mode": "chat", "litellm_provider": "gemini", "input_cost_per_token": 1.25e-06, "output_cost_per_token": 1e-05,
                        "cache_read_input_token_cost": 1.25e-07, "input_cost_per_token_above_200k_tokens": 2.5e-06,
                        "output_cost_per_token_above_200k_tokens": 1.5e-05},
    "claude-9": {"mode": "chat", "litellm_provider": "anthropic", "input_cost_per_token": 3e-06, "output_cost_per_token": 1.5e-05,
                 "cache_creation_input_token_cost": 3.75e-06, "cache_creation_input_token_cost_above_1hr": 6e-06,
                 "cache_read_input_token_cost": 3e-07},
    "codex-9": {"mode": "responses", "litellm_provider": "openai", "input_cost_per_token": 2e-07, "output_cost_per_token": 8e-07},
    "painter": {"mode": "image_generation", "input_cost_per_token": 5e-06, "output_cost_per_token": 5e-06},
    "free": {"mode": "chat", "litellm_provider": "openai"},
}
OWN = '{"models": [{"name": "gpt-5", "rates": {"input": "7", "output": 8}, "tiers": [{"above": 1500, "rates": {"input": 9, "output": 10}}]}]}'


class Show(unittest.TestCase):
    def show(self, box, *args):
        done = box.run("agentbus", "pricing", "show", "--json", *args)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return json.loads(done.stdout, parse_float=Decimal)["prices"]

    def test_all_that_are_built_in(self):
        with Sandbox() as box:
            prices = self.show(box)
            self.assertEqual([p["name"] for p in prices], [m["name"] for m in MODELS])
            for price, model in zip(prices, MODELS):
                self.assertEqual({k: v for k, v in price["rates"].items() if v is not None}, {k: Decimal(v) for k, v in model["rates"].items()})
                self.assertEqual([t["above"] for t in price["tiers"]], [t["above"] for t in model.get("tiers", [])])
                self.assertEqual(price["service_tiers"].get("fast"), Decimal(model["fast"]) if "fast" in model else None)
                self.assertEqual((price["source"], price["as_of"], price["origin"]), (model["source"], model["as_of"], "built-in"))

    def test_ones_own(self):
        with Sandbox() as box:
            path = box.dir / "own.json"
            path.write_text(OWN)
            (box.dir / "config" / "agentbus").mkdir(parents=True)
            (box.dir / "config" / "agentbus" / "agentbus.conf").write_text(f"[budget]\nday_warn = 5\n[pricing]\nfile = {path}\n")
            for args, env in (((), None), (("--file", path), None)):
                (price,) = self.show(box, "gpt-5", *args)
                self.assertEqual((price["origin"], price["rates"]["input"], price["tiers"][0]["above"]), ("file", 7, 1500))
            self.assertEqual(len(self.show(box)), len(MODELS))
            (price,) = self.show(box, "gpt-5", "--file", "")
            self.assertEqual(price["origin"], "built-in")
            done = box.run("agentbus", "pricing", "show", "--file", box.dir / "none")
            self.assertEqual((done.returncode, done.stderr), (1, f"agentbus: {box.dir}/none: No such file or directory\n"))

    def test_models_go_by_the_names_that_cost_goes_by(self):
        with Sandbox() as box:
            for name in ("claude-opus-5-5", "claude-opus-5-5-20261001", "claude-opus-5-5-2026-10-01"):
                self.assertEqual([p["name"] for p in self.show(box, name)], ["claude-opus-5-5"])
            done = box.run("agentbus", "pricing", "show", "claude-opus-5-5-pro")
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn("claude-opus-5-5-pro has no price", done.stderr)

    def test_table_fits_a_terminal(self):
        with Sandbox() as box:
            with Terminal(box, "pricing", "show", rows=200) as terminal:
                code, text = terminal.read_all()
            lines = SGR.sub("", text).splitlines()
            self.assertEqual(code, 0)
            self.assertTrue(all(len(line) <= 80 and line == line.rstrip() for line in lines), text)
            for model in MODELS:
                self.assertTrue(any(line.startswith(model["name"] + " ") for line in lines), model["name"])
            self.assertIn("  above 272k ", text)
            self.assertIn("  fast: x2", text)


class Check(unittest.TestCase):
    def test_right_and_wrong(self):
        with Sandbox() as box:
            path = box.dir / "p.json"
            for text, code, said in (
                    (OWN, 0, f"{path}: prices of 1 model, all right\n"),
                    ((REPO / "contrib" / "pricing" / "models.json").read_text(), 0, f"{path}: prices of {len(MODELS)} models, all right\n"),
                    ('{\n"models": [\n{,}]}', 1, f"agentbus: {path}:3: this is no JSON\n"),
                    (OWN.replace('"7"', '"a lot"'), 1, f"agentbus: {path}: models[0].rates.input: expected a decimal number from 0 to 1000000, "
                                                       "with at most six digits after the point\n"),
                    (OWN.replace('"name"', '"nom"'), 1, f'agentbus: {path}: models[0].nom: is nothing that a model has\n'
                                                        f'agentbus: {path}: models[0]: "name" is missing\n')):
                path.write_text(text)
                done = box.run("agentbus", "pricing", "check", path)
                self.assertEqual((done.returncode, done.stdout + done.stderr), (code, said))

    def test_usage(self):
        with Sandbox() as box:
            for args, said in (((), "missing show [MODEL] | check FILE | import FILE"), (("check",), "check: which file?"), (("import",), "import: which file?"),
                               (("sow",), "'sow' is none of show, check, import"), (("show", "a", "b"), "unexpected argument b")):
                done = box.run("agentbus", "pricing", *args)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn(said, done.stderr)


class Import(unittest.TestCase):
    def test_what_is_taken(self):
        with Sandbox() as box:
            (box.dir / "lite.json").write_text(json.dumps(LITELLM))
            done = box.run("agentbus", "pricing", "import", "lite.json")
            self.assertEqual(done.returncode, 0)
            self.assertEqual(done.stderr.splitlines(), ["agentbus: 3 models taken", "agentbus: 2 left out: for something else than chat or responses",
                                                        "agentbus: 1 left out: without a rate for input and output"])
            models = {m["name"]: m for m in json.loads(done.stdout)["models"]}
            self.assertEqual(set(models), {"gemini-9", "claude-9", "codex-9"})
            self.assertEqual(models["gemini-9"]["aliases"], ["gemini/gemini-9"])
            self.assertEqual(models["gemini-9"]["tiers"], [{"above": 200000, "rates": {"input": "2.5", "output": "15", "cache_read": "0.125"}}])
            self.assertEqual(models["claude-9"]["rates"], {"input": "3", "output": "15", "cache_read": "0.3", "cache_write_5m": "3.75",
                                                           "cache_write_1h": "6"})
            self.assertEqual(models["codex-9"]["source"], "LiteLLM")
            self.assertRegex(models["codex-9"]["as_of"], r"^\d{4}-\d\d-\d\d$")

    def test_the_output_is_there_as_a_whole_or_not_at_all(self):
        with Sandbox() as box:
            (box.dir / "lite.json").write_text(json.dumps(LITELLM))
            out = box.dir / "prices.json"
            done = box.run("agentbus", "pricing", "import", "lite.json", "--output", out)
            self.assertEqual((done.returncode, done.stdout), (0, ""))
            self.assertEqual(box.run("agentbus", "pricing", "check", out).returncode, 0)
            before = out.read_text()
            for text, said in (("[]", 'expected {"MODEL"'), ("{", "lite.json:1: this is no JSON"), ("{}", "there is no model in it")):
                (box.dir / "lite.json").write_text(text)
                done = box.run("agentbus", "pricing", "import", "lite.json", "--output", out)
                self.assertEqual(done.returncode, 1)
                self.assertIn(said, done.stderr)
                self.assertEqual(out.read_text(), before)
            done = box.run("agentbus", "pricing", "import", "nothing.json", "--output", out)
            self.assertEqual((done.returncode, done.stderr), (1, "agentbus: nothing.json: No such file or directory\n"))
            self.assertEqual(sorted(os.listdir(box.dir)), ["lite.json", "prices.json"] + sorted(p.name for p in box.dir.glob("*.stderr")))

    def test_a_broker_goes_by_it(self):
        with Broker(start=False) as broker:
            (broker.dir / "lite.json").write_text(json.dumps(LITELLM))
            out = broker.dir / "prices.json"
            self.assertEqual(broker.run("agentbus", "pricing", "import", "lite.json", "-o", out).returncode, 0)
            broker.write_config(f"[pricing]\nfile = {out}\n")
            broker.start_daemon()
            for session, model in (("a", "claude-9"), ("b", "gemini-9"), ("c", "gemini/gemini-9")):
                broker.post(otlp.LOGS, request(session, model=model))
            got = status(broker)
            self.assertEqual(pico(got["a"]["cost_usd"]), 70 * 3_000_000 + 10 * 300_000 + 20 * 3_750_000 + 7 * 15_000_000)
            self.assertEqual(pico(got["b"]["cost_usd"]), 70 * 1_250_000 + 10 * 125_000 + 20 * 1_250_000 + 7 * 10_000_000)
            self.assertEqual(got["c"]["cost_usd"], got["b"]["cost_usd"])


if __name__ == "__main__":
    unittest.main()
