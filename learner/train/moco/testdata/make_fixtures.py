"""Writes step.json: a small model's weights and inputs, and what PyTorch makes of them: forward, loss, gradients, and the weights
after one MoCo step with AdamW (no decay on biases and norms). Run: python make_fixtures.py (needs torch)."""
import json, math, os
import torch
import torch.nn.functional as F

torch.manual_seed(1)
D, REL, BASES, HEADS, ITEMS, QUEUE, MODES = 8, 3, 2, 2, 4, 8, {"text": 6, "image": 5}
P, decay = {}, {}


def lin(name, n, m):
    P[name + ".weight"], P[name + ".bias"] = torch.randn(n, m) / n ** .5, torch.randn(1, m) * .1


def norm(name):
    P[name + ".gain"], P[name + ".bias"] = 1 + torch.randn(1, D) * .1, torch.randn(1, D) * .1


for m, n in MODES.items():
    lin(m + ".input", n, D), lin(m + ".skip", n, D)
    for i in "12":
        s = f"{m}.layer{i}"
        lin(s + ".self", D, D)
        P[s + ".bases"], P[s + ".coefficients"] = torch.randn(BASES * D, D) / (BASES * D) ** .5, torch.randn(REL, BASES) / BASES ** .5
        norm(s + ".norm")
for i in "123":
    norm("fusion.norm" + i)
lin("fusion.qkv", D, 3 * D), lin("fusion.proj", D, D), lin("fusion.up", D, 4 * D), lin("fusion.down", 4 * D, D)
for m in MODES:
    lin("fusion.gate." + m, D, D)
lin("head.0", D, D), lin("head.1", D, D)
features = {m: torch.randn(12, n) for m, n in MODES.items()}
present = [[True, True], [True, False], [True, True], [False, True]]


for m in MODES:   # of the other ways to fuse
    P[f"fusion.up.{m}.weight"], P[m + ".join"] = torch.randn(D, 4 * D) / D ** .5, torch.randn(2 * D, D) / (2 * D) ** .5
P["fusion.up.bias"] = P["fusion.up.bias"] + 0
g = torch.Generator().manual_seed(7)
for m in MODES:   # of the other way to aggregate
    for s in "12":
        for what in "neighbour", "relation", "reader":
            P[f"{m}.layer{s}.attention.{what}"] = torch.randn(REL, D, generator=g)
start = {k: v.clone() for k, v in P.items()}


def edges(rows, sources):
    g = torch.Generator().manual_seed(rows)
    return [[[int(torch.randint(sources, (1,), generator=g)), int(torch.randint(REL, (1,), generator=g)), round(float(torch.rand(1, generator=g)), 3)]
             for _ in range(1 + i % 3)] for i in range(rows)]


layers = [edges(7, 12), edges(ITEMS, 7)]


def attended(P, h, own, row, s):
    """What a node reads: for each relation the weighted mean of its sources, and these times the softmax of their scores."""
    clip = lambda x: (4 * math.log(2)) * x / (4 * math.log(2) + x.abs())
    A = {what: P[f"{s}.attention.{what}"] / D ** .5 for what in ("neighbour", "relation", "reader")}
    relations = sorted({r for _, r, _ in row})
    reads = []
    for r in relations:
        x = torch.stack([h[j] for j, q, _ in row if q == r])
        reads.append(torch.softmax(clip(x @ A["neighbour"][r]), 0) @ x)
    scores = torch.stack([z @ A["relation"][r] + own @ A["reader"][r] for z, r in zip(reads, relations)])
    return list(zip(relations, reads, len(relations) * torch.softmax(clip(scores), 0)))


def forward(P, inside, fusion, residual, aggregator):
    L = lambda x, n: x @ P[n + ".weight"] + P[n + ".bias"]
    LN = lambda x, n: F.layer_norm(x, (D,), P[n + ".gain"][0], P[n + ".bias"][0])
    tokens = []
    for m in MODES:
        x = features[m]
        h = L(x, m + ".input")
        for i, adj in enumerate(layers):
            s = f"{m}.layer{i + 1}"
            W = torch.einsum("rb,bij->rij", P[s + ".coefficients"], P[s + ".bases"].view(BASES, D, D))
            own = h[:len(adj)]
            if aggregator == "mean":
                mean = torch.stack([sum(w * (h[j] @ W[r]) for j, r, w in row) for row in adj])
            else:
                mean = torch.stack([sum(w * (z @ W[r]) for r, z, w in attended(P, h, own[k], row, s)) for k, row in enumerate(adj)])
            z = F.relu(L(own, s + ".self") + mean)
            h = LN(own + z, s + ".norm") if inside else LN(z, s + ".norm") + own
        skip = L(x[:ITEMS], m + ".skip")
        tokens.append(h + skip if residual == "sum" else torch.cat([h, skip], 1) @ P[m + ".join"])
    t = torch.stack(tokens, 1)
    has = torch.tensor(present)
    gated = lambda t: sum(has[:, i, None] * torch.sigmoid(L(t[:, i], "fusion.gate." + m)) * t[:, i] for i, m in enumerate(MODES))
    if fusion == "mlp":
        n = LN(t, "fusion.norm1")
        h = F.gelu(sum(n[:, i] * has[:, i, None] @ P[f"fusion.up.{m}.weight"] for i, m in enumerate(MODES)) + P["fusion.up.bias"])
        z = gated(t) + L(h, "fusion.down")
    else:
        q, k, v = L(LN(t, "fusion.norm1"), "fusion.qkv").view(ITEMS, 2, 3, HEADS, D // HEADS).permute(2, 0, 3, 1, 4)
        may = has[:, :, None] & has[:, None, :]
        if fusion == "attention":
            may = may & ~torch.eye(2, dtype=torch.bool)
        may = may[:, None]
        score = (q @ k.transpose(-1, -2) / (D // HEADS) ** .5).masked_fill(~may, -1e9)
        att = (score.softmax(-1) * may) @ v
        t = t + L(att.transpose(1, 2).flatten(2), "fusion.proj")
        t = t + L(F.gelu(L(LN(t, "fusion.norm2"), "fusion.up")), "fusion.down")
        z = gated(t)
    z = LN(z, "fusion.norm3")
    return z, F.normalize(L(F.relu(L(z, "head.0")), "head.1"), dim=1)


flat = lambda t: [float(f"{x:.8g}") for x in t.detach().flatten().tolist()]
out = {"features": {m: flat(x) for m, x in features.items()}, "present": present, "layers": layers, "weights": {k: flat(v) for k, v in start.items()}, "cases": []}
queue = F.normalize(torch.randn(QUEUE, D))
out["queue"] = flat(queue)
for inside, fusion, residual, aggregator in ((True, "attention", "sum", "mean"), (False, "attention", "sum", "mean"), (False, "transformer", "sum", "mean"),
                                             (False, "mlp", "concat", "mean"), (False, "attention", "sum", "attention")):
    Q = {k: v.clone().requires_grad_() for k, v in start.items()}
    K = {k: v.clone() for k, v in start.items()}
    z, q = forward(Q, inside, fusion, residual, aggregator)
    k = forward(K, inside, fusion, residual, aggregator)[1]
    tau = torch.tensor(0.07).log().requires_grad_()
    loss = F.cross_entropy(torch.cat([(q * k).sum(1, keepdim=True), q @ queue.T], 1) / tau.exp(), torch.zeros(ITEMS, dtype=torch.long))
    loss.backward()
    Q = {n: v for n, v in Q.items() if v.grad is not None}
    plain = lambda n: n.endswith(".bias") or n.endswith(".gain")
    torch.optim.AdamW([{"params": [v for n, v in Q.items() if not plain(n)], "weight_decay": 1e-2},
                       {"params": [v for n, v in Q.items() if plain(n)] + [tau], "weight_decay": 0}], lr=1e-3).step()
    for n in Q:
        K[n] = K[n] + 0.01 * (Q[n].detach() - K[n])
    if fusion != "attention":   # the rest is as above
        Q = {n: v for n, v in Q.items() if n.startswith("fusion") or n.endswith(".join") or ".skip" in n}
    out["cases"].append({"inside": inside, "fusion": fusion, "residual": residual, "aggregator": aggregator, "embedding": flat(z), "projection": flat(q), "loss": loss.item(),
                         "temperature": tau.exp().item(), "gradients": {n: flat(v.grad) for n, v in Q.items()},
                         "query": {n: flat(v) for n, v in Q.items()}, "key": {n: flat(K[n]) for n in Q}})
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "step.json"), "w") as f:
    json.dump(out, f, separators=(",", ":"))
