// How a plane is moved and what is chosen on it: by pointers, fingers and keys.

/** controls has a canvas move a view of x, y and scale, the canvas's pixels a unit. The points are reached by what the caller gives. */
export function controls(canvas, view, points) {
  const { draw, signal } = points;
  const least = () => Math.min(canvas.width, canvas.height) / 65535;
  const ratio = () => canvas.width / Math.max(canvas.clientWidth, 1);
  const clamp = () => {
    view.scale = Math.min(Math.max(view.scale, least() * 0.8), least() * 2000);
    view.x = Math.min(Math.max(view.x, 0), 65534);
    view.y = Math.min(Math.max(view.y, 0), 65534);
    draw();
  };
  /** zoom keeps what is under the point (x, y) of the canvas where it is. */
  const zoom = (factor, x = canvas.width / 2, y = canvas.height / 2) => {
    const before = view.scale;
    view.scale = Math.min(Math.max(before * factor, least() * 0.8), least() * 2000);
    view.x += (x - canvas.width / 2) * (1 / before - 1 / view.scale);
    view.y += (y - canvas.height / 2) * (1 / before - 1 / view.scale);
    clamp();
  };
  const pan = (dx, dy) => {
    view.x -= dx / view.scale;
    view.y -= dy / view.scale;
    clamp();
  };
  const whole = () => {
    Object.assign(view, { x: 32767, y: 32767, scale: least() });
    draw();
  };
  const place = (e) => [e.offsetX * ratio(), e.offsetY * ratio()];
  const reach = 14; // pixels within which a pointer has a point
  const under = (e) => {
    const [x, y] = place(e);
    const [u, v] = [view.x + (x - canvas.width / 2) / view.scale, view.y + (y - canvas.height / 2) / view.scale];
    const most = ((reach * ratio()) / view.scale) ** 2;
    return points.nearest((px, py) => {
      const d = (px - u) ** 2 + (py - v) ** 2;
      return d > most ? Infinity : d;
    });
  };

  const down = new Map(); // pointers that are pressed
  let moved = 0;
  let hovering = 0;
  const listen = (type, listener, options) => canvas.addEventListener(type, listener, { signal, ...options });
  listen("pointerdown", (e) => {
    canvas.setPointerCapture(e.pointerId);
    down.set(e.pointerId, place(e));
    if (down.size === 1) moved = 0;
  });
  listen("pointermove", (e) => {
    const now = place(e);
    const was = down.get(e.pointerId);
    if (!was) {
      clearTimeout(hovering);
      hovering = setTimeout(() => {
        const slot = under(e);
        canvas.classList.toggle("over", slot >= 0);
        if (slot >= 0) points.choose(slot);
      }, 60);
      return;
    }
    const apart = () => {
      const [[a, b], [c, d]] = [...down.values()];
      return [Math.hypot(a - c, b - d), (a + c) / 2, (b + d) / 2];
    };
    if (down.size === 2) {
      const [before, x, y] = apart();
      down.set(e.pointerId, now);
      const [after, u, v] = apart();
      pan(u - x, v - y);
      if (before > 0) zoom(after / before, u, v);
    } else {
      down.set(e.pointerId, now);
      pan(now[0] - was[0], now[1] - was[1]);
    }
    moved += Math.hypot(now[0] - was[0], now[1] - was[1]) / ratio();
  });
  listen("pointerup", async (e) => {
    down.delete(e.pointerId);
    if (moved > 5 || down.size) return;
    const slot = under(e);
    if (slot < 0) return;
    // A finger does not hover: it first chooses, and a second time opens.
    const again = slot === points.chosen();
    await points.choose(slot);
    if (e.pointerType !== "touch" || again) points.open();
  });
  listen("pointercancel", (e) => down.delete(e.pointerId));
  listen("wheel", (e) => {
    e.preventDefault();
    zoom(Math.exp(-Math.max(-100, Math.min(100, e.deltaY * (e.deltaMode ? 16 : 1))) / 250), ...place(e));
  }, { passive: false });

  /** step chooses the nearest point that way, or the one in the middle when none is chosen. */
  const step = (dx, dy) => {
    const from = points.chosen();
    if (!points.has(from)) return points.choose(points.nearest((x, y) => (x - view.x) ** 2 + (y - view.y) ** 2));
    const [x, y] = points.at(from);
    const next = points.nearest((u, v, slot) => {
      const along = (u - x) * dx + (v - y) * dy;
      const aside = Math.abs((u - x) * dy - (v - y) * dx);
      return slot === from || along <= 0 || aside > along ? Infinity : along + 2 * aside;
    });
    if (next < 0) return undefined;
    show(next);
    return points.choose(next);
  };
  /** show has a point in view: in its middle, if it was out of it. */
  const show = (slot) => {
    const [u, v] = points.at(slot);
    if (Math.abs((u - view.x) * view.scale) > canvas.width / 2 || Math.abs((v - view.y) * view.scale) > canvas.height / 2) [view.x, view.y] = [u, v];
    draw();
  };
  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  listen("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const way = arrows[e.key];
    if (way && e.shiftKey) pan(-way[0] * canvas.width * 0.15, -way[1] * canvas.height * 0.15);
    else if (way) step(...way);
    else if (e.key === "+" || e.key === "=") zoom(1.5);
    else if (e.key === "-") zoom(1 / 1.5);
    else if (e.key === "0") whole();
    else if (e.key === "Enter") points.open();
    else if (e.key === "Escape") points.choose(-1);
    else return;
    e.preventDefault();
  });
  return {
    zoom, whole, show,
    nearness: () => view.scale / least(),
    to(slot) {
      [view.x, view.y] = points.at(slot);
      view.scale = least() * 4;
      clamp();
    },
  };
}
