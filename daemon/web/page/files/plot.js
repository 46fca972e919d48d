// Drawing of points: by WebGL 2, and by the canvas alone where there is none. Both take the points in units of the map, and a hue a point.

export const hues = 13; // 0 nothing, 1 to 10 values, 11 others, 12 those that are not chosen

/** plot draws on a canvas. Its points are set by points(at, hue, count), its colours by palette(colours, [r, g, b, a] each), and draw(view) draws them. canvas and
 * kind are what it draws on and by: another when the first picture shows that there is no program for WebGL. */
export function plot(canvas) {
  let by = byWebGL(canvas) ?? byCanvas(canvas);
  let kept = null;
  let colours = [];
  return {
    get canvas() {
      return canvas;
    },
    get kind() {
      return by.kind;
    },
    points(...all) {
      by.points(...(kept = all));
    },
    palette(all) {
      by.palette((colours = all));
    },
    draw(view) {
      if (by.draw(view)) return;
      const other = canvas.cloneNode(); // what WebGL has drawn on can't be drawn on otherwise
      canvas.replaceWith(other);
      canvas = other;
      by = byCanvas(canvas);
      by.palette(colours);
      by.points(...kept);
      by.draw(view);
    },
  };
}

const small = 3; // pixels
const vertex = `#version 300 es
in vec2 at;
in float hue;
uniform vec2 centre, scale;
uniform float size;
uniform vec4 palette[${hues}];
out vec4 colour;
void main() {
  bool gone = at.x > 65534.5 && at.y > 65534.5;
  gl_Position = gone ? vec4(2, 2, 2, 1) : vec4((at - centre) * scale, 0, 1);
  gl_PointSize = size;
  colour = palette[int(hue + .5)];
}`;

const fragment = `#version 300 es
precision highp float;
in vec4 colour;
uniform float size;
out vec4 drawn;
void main() {
  if (size < ${small}.) { // nobody sees whether it is round
    drawn = vec4(colour.rgb * colour.a, colour.a);
    return;
  }
  float d = length(gl_PointCoord - .5);
  float alpha = colour.a * (1. - smoothstep(.38, .5, d));
  drawn = vec4(colour.rgb * alpha, alpha);
}`;

function byWebGL(canvas) {
  const gl = canvas.getContext("webgl2", { antialias: false, premultipliedAlpha: true });
  if (!gl) return null;
  let program = null;
  let places = null; // of the uniforms, once the program is there
  let buffers = [];
  let kept = null;
  let colours = null;
  const begin = () => {
    program = gl.createProgram();
    for (const [kind, text] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.bindAttribLocation(program, 0, "at");
    gl.bindAttribLocation(program, 1, "hue");
    gl.linkProgram(program);
    places = null;
    buffers = [gl.createBuffer(), gl.createBuffer()];
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  };
  /** linked waits for the program, which is made while points are on their way. */
  const linked = () => {
    if (places || !gl.getProgramParameter(program, gl.LINK_STATUS)) return places !== null;
    gl.useProgram(program);
    places = Object.fromEntries(["centre", "scale", "size", "palette"].map((name) => [name, gl.getUniformLocation(program, name)]));
    return true;
  };
  const upload = () => {
    if (!kept) return;
    for (const [i, data, size, kind] of [[0, kept.at, 2, gl.UNSIGNED_SHORT], [1, kept.hue, 1, gl.UNSIGNED_BYTE]]) {
      gl.bindBuffer(gl.ARRAY_BUFFER, buffers[i]);
      gl.bufferData(gl.ARRAY_BUFFER, data, gl.DYNAMIC_DRAW);
      gl.enableVertexAttribArray(i);
      gl.vertexAttribPointer(i, size, kind, false, 0, 0);
    }
  };
  begin();
  canvas.addEventListener("webglcontextlost", (e) => e.preventDefault());
  canvas.addEventListener("webglcontextrestored", () => {
    begin();
    upload();
  });
  return {
    kind: "webgl2",
    points(at, hue, count) {
      kept = { at, hue, count };
      upload();
    },
    palette(all) {
      colours = new Float32Array(all.flat());
    },
    draw(view) {
      gl.viewport(0, 0, canvas.width, canvas.height);
      gl.clearColor(0, 0, 0, 0);
      gl.clear(gl.COLOR_BUFFER_BIT);
      if (!kept?.count || !colours) return true;
      if (!linked()) return gl.isContextLost();
      gl.uniform2f(places.centre, view.x, view.y);
      gl.uniform2f(places.scale, (2 * view.scale) / canvas.width, (-2 * view.scale) / canvas.height);
      gl.uniform1f(places.size, view.size);
      gl.uniform4fv(places.palette, colours);
      gl.drawArrays(gl.POINTS, 0, kept.count);
      return true;
    },
  };
}

const manyPoints = 20000; // that are drawn as squares, which costs a fifth

function byCanvas(canvas) {
  const pen = canvas.getContext("2d");
  let kept = null;
  let colours = [];
  return {
    kind: "2d",
    points(at, hue, count) {
      kept = { at, hue, count };
    },
    palette(all) {
      colours = all.map(([r, g, b, a]) => `rgb(${255 * r} ${255 * g} ${255 * b} / ${a})`);
    },
    draw(view) {
      const { width, height } = canvas;
      pen.clearRect(0, 0, width, height);
      if (!kept) return true;
      // Colour by colour: to change it costs more than to draw.
      for (let hue = hues - 1; hue >= 0; hue--) {
        pen.fillStyle = colours[hue];
        for (let i = 0; i < kept.count; i++) {
          if (kept.hue[i] !== hue || (kept.at[2 * i] === 65535 && kept.at[2 * i + 1] === 65535)) continue;
          const x = (kept.at[2 * i] - view.x) * view.scale + width / 2;
          const y = (kept.at[2 * i + 1] - view.y) * view.scale + height / 2;
          if (x < -9 || y < -9 || x > width + 9 || y > height + 9) continue;
          if (kept.count > manyPoints) {
            pen.fillRect(x - view.size / 2, y - view.size / 2, view.size, view.size);
            continue;
          }
          pen.beginPath();
          pen.arc(x, y, view.size / 2, 0, 2 * Math.PI);
          pen.fill();
        }
      }
      return true;
    },
  };
}
