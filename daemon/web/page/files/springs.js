// Where the nodes of a network go: those that are joined attract each other, all others keep apart. Nothing is drawn by lot: the same network looks the same.

const steps = 300;
const golden = Math.PI * (3 - Math.sqrt(5));

/** arrange gives n nodes places from 0 to 1 in a box that is ratio times as wide as high. The first is in the middle at first, and edges are [a, b, weight].
 * room is the width and height that a node with its label takes: as far as there is room for all, none lies on another. */
export function arrange(n, edges, ratio, room) {
  const at = Array.from({ length: n }, (_, i) => [ratio * (0.5 + 0.45 * Math.sqrt(i / n) * Math.cos(i * golden)), 0.5 + 0.45 * Math.sqrt(i / n) * Math.sin(i * golden)]);
  const apart = Math.sqrt(ratio / n);
  for (let step = 0; step < steps; step++) {
    const force = at.map(([x, y]) => [0.4 * (ratio / 2 - x), 0.4 * (0.5 - y)]);
    const push = (a, b, f) => {
      const [dx, dy] = [at[b][0] - at[a][0], at[b][1] - at[a][1]];
      const d = Math.max(Math.hypot(dx, dy), 1e-4);
      const by = f(d) / d;
      force[a] = [force[a][0] + dx * by, force[a][1] + dy * by];
      force[b] = [force[b][0] - dx * by, force[b][1] - dy * by];
    };
    for (let a = 0; a < n; a++) for (let b = a + 1; b < n; b++) push(a, b, (d) => -(apart * apart) / d);
    for (const [a, b, weight] of edges) push(a, b, (d) => (weight * d * d) / apart);
    const most = 0.08 * (1 - step / steps);
    at.forEach((p, i) => {
      const length = Math.max(Math.hypot(...force[i]), 1e-9);
      const by = Math.min(length, most) / length;
      at[i] = [p[0] + force[i][0] * by, p[1] + force[i][1] * by];
    });
  }
  return separate(fit(at), room);
}

/** fit scales places so that they fill the box from 0 to 1. */
function fit(at) {
  for (const axis of [0, 1]) {
    const values = at.map((p) => p[axis]);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    for (const p of at) p[axis] = high > low ? (p[axis] - low) / (high - low) : 0.5;
  }
  return at;
}

/** separate moves nodes that lie on one another apart, along the axis on which less is missing. */
function separate(at, room) {
  for (let round = 0; round < steps; round++) {
    let moved = false;
    for (let a = 0; a < at.length; a++) {
      for (let b = a + 1; b < at.length; b++) {
        const missing = [0, 1].map((axis) => room[axis] - Math.abs(at[a][axis] - at[b][axis]));
        if (Math.min(...missing) <= 0) continue;
        moved = true;
        const axis = missing[0] / room[0] < missing[1] / room[1] ? 0 : 1;
        const way = at[a][axis] <= at[b][axis] ? -1 : 1;
        at[a][axis] += (way * (missing[axis] + 1e-4)) / 2;
        at[b][axis] -= (way * (missing[axis] + 1e-4)) / 2;
      }
    }
    for (const p of at) for (const axis of [0, 1]) p[axis] = Math.max(0, Math.min(1, p[axis]));
    if (!moved) break;
  }
  return at;
}
