"use strict";
// Draws the panels of a series report on a canvas. All data stands in the page; nothing is loaded.
(() => {
  const unpack = (text, Kind) => {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    return new Kind(bytes.buffer);
  };
  const panels = JSON.parse(document.getElementById("data").textContent).map((panel) => ({
    ...panel,
    channels: panel.channels.map((c) => ({ ...c, low: unpack(c.low, Uint16Array), high: unpack(c.high, Uint16Array) })),
    score: unpack(panel.score, Uint16Array),
    rows: unpack(panel.rows, Float64Array),
    times: panel.times && unpack(panel.times, Float64Array),
  }));
  const canvas = document.getElementById("canvas"), readout = document.getElementById("readout");
  const which = document.getElementById("which");
  if (!panels.length) return;
  const TALL = 110, FLAT = 60, LEFT = 64, GAP = 14, BELOW = 22;
  let panel = panels[0], from = 0, to = panel.score.length;

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim() || "#888";
  const label = (bin) => {
    const at = Math.max(0, Math.min(panel.score.length - 1, Math.floor(bin)));
    return panel.times ? new Date(panel.times[at]).toISOString().slice(0, 19).replace("T", " ") : "row " + panel.rows[at].toLocaleString("en");
  };
  const short = (value) => (Math.abs(value) >= 1e5 || (value && Math.abs(value) < 1e-3) ? value.toExponential(1) : +value.toPrecision(4) + "");

  const strip = (ctx, top, height, width, low, high, ink) => {
    // One vertical stroke a pixel: from the lowest to the highest value of the bins below it.
    ctx.strokeStyle = ink;
    ctx.lineWidth = 1;
    ctx.beginPath();
    const span = (to - from) / width;
    let before = null;
    for (let x = 0; x < width; x++) {
      const a = Math.max(0, Math.floor(from + x * span));
      const b = Math.min(low.length, Math.max(a + 1, Math.ceil(from + (x + 1) * span)));
      if (a >= low.length) break;
      let least = 65535, most = 0;
      for (let i = a; i < b; i++) {
        if (low[i] < least) least = low[i];
        if (high[i] > most) most = high[i];
      }
      const y1 = top + height * (1 - most / 65535), y2 = top + height * (1 - least / 65535);
      if (before) ctx.moveTo(LEFT + x - 0.5, before), ctx.lineTo(LEFT + x + 0.5, (y1 + y2) / 2);
      ctx.moveTo(LEFT + x + 0.5, y1);
      ctx.lineTo(LEFT + x + 0.5, Math.max(y2, y1 + 1));
      before = (y1 + y2) / 2;
    }
    ctx.stroke();
  };

  const draw = () => {
    const height = panel.channels.length * (TALL + GAP) + FLAT + BELOW;
    const ratio = window.devicePixelRatio || 1, wide = canvas.clientWidth;
    canvas.style.height = height + "px";
    canvas.width = wide * ratio;
    canvas.height = height * ratio;
    const ctx = canvas.getContext("2d"), width = Math.max(10, Math.floor(wide - LEFT - 6));
    ctx.scale(ratio, ratio);
    ctx.clearRect(0, 0, wide, height);
    ctx.font = "12px system-ui, sans-serif";
    const x = (bin) => LEFT + ((bin - from) / (to - from)) * width;
    ctx.fillStyle = colour("--flag");
    ctx.globalAlpha = 0.16;
    for (const [a, b] of panel.ranges) {
      const left = Math.max(x(a), LEFT), right = Math.min(Math.max(x(b), x(a) + 2), LEFT + width);
      if (right > left) ctx.fillRect(left, 0, right - left, height - BELOW);
    }
    ctx.globalAlpha = 1;
    let top = 4;
    for (const channel of panel.channels) {
      strip(ctx, top, TALL, width, channel.low, channel.high, colour("--usual"));
      ctx.fillStyle = colour("--soft");
      ctx.textAlign = "right";
      ctx.fillText(short(channel.to), LEFT - 6, top + 10);
      ctx.fillText(short(channel.from), LEFT - 6, top + TALL);
      ctx.textAlign = "left";
      ctx.fillStyle = colour("--ink");
      ctx.fillText(channel.name, LEFT + 6, top + 11);
      top += TALL + GAP;
    }
    strip(ctx, top, FLAT, width, panel.score, panel.score, colour("--flag"));
    ctx.fillStyle = colour("--ink");
    ctx.fillText("anomaly score", LEFT + 6, top + 11);
    ctx.fillStyle = colour("--soft");
    ctx.textAlign = "right";
    ctx.fillText("1", LEFT - 6, top + 10);
    ctx.fillText("0", LEFT - 6, top + FLAT);
    const marks = Math.max(1, Math.min(5, Math.floor(width / 170)));
    for (let i = 0; i <= marks; i++) {
      ctx.textAlign = i === 0 ? "left" : i === marks ? "right" : "center";
      ctx.fillText(label(from + ((to - from) * i) / marks), LEFT + (width * i) / marks, height - 6);
    }
  };
  const show = (a, b) => {
    const size = panel.score.length, span = Math.min(Math.max(b - a, Math.min(20, size)), size);
    from = Math.min(Math.max(0, a + (b - a - span) / 2), size - span);
    to = from + span;
    requestAnimationFrame(draw);
  };
  const bin = (event) => from + ((event.clientX - canvas.getBoundingClientRect().left - LEFT) / Math.max(10, canvas.clientWidth - LEFT - 6)) * (to - from);
  const zoom = (middle, factor) => show(middle - (middle - from) * factor, middle + (to - middle) * factor);
  const pick = (index) => { panel = panels[index]; if (which) which.value = index; show(0, panel.score.length); };

  let held = null;
  canvas.addEventListener("wheel", (event) => { event.preventDefault(); zoom(bin(event), event.deltaY > 0 ? 1.25 : 0.8); }, { passive: false });
  canvas.addEventListener("pointerdown", (event) => { held = { x: event.clientX, from, to }; canvas.setPointerCapture(event.pointerId); });
  canvas.addEventListener("pointerup", () => { held = null; });
  canvas.addEventListener("pointermove", (event) => {
    if (held) {
      const moved = ((held.x - event.clientX) / Math.max(10, canvas.clientWidth - LEFT - 6)) * (held.to - held.from);
      show(held.from + moved, held.to + moved);
    }
    const at = Math.max(0, Math.min(panel.score.length - 1, Math.floor(bin(event))));
    const values = panel.channels.map((c) => c.name + " " + short(c.from + ((c.low[at] + c.high[at]) / 2 / 65535) * (c.to - c.from)));
    readout.textContent = label(at) + " · score " + (panel.score[at] / 65535).toFixed(3) + " · " + values.join(" · ");
  });
  canvas.addEventListener("keydown", (event) => {
    const span = to - from;
    const acts = { "+": () => zoom((from + to) / 2, 0.7), "-": () => zoom((from + to) / 2, 1.4), 0: () => show(0, panel.score.length), ArrowLeft: () => show(from - span / 5, to - span / 5), ArrowRight: () => show(from + span / 5, to + span / 5) };
    if (acts[event.key]) { event.preventDefault(); acts[event.key](); }
  });
  if (which) which.addEventListener("change", () => pick(+which.value));
  for (const row of document.querySelectorAll("tr[data-start]")) {
    row.addEventListener("click", () => {
      const index = panels.findIndex((other) => other.key === row.dataset.key);
      if (index < 0) return;
      pick(index);
      const find = (wanted) => { let a = 0, b = panel.rows.length; while (a < b) { const m = (a + b) >> 1; if (panel.rows[m] < wanted) a = m + 1; else b = m; } return a; };
      const a = find(+row.dataset.start), b = find(+row.dataset.end) + 1, room = Math.max(2 * (b - a), 60);
      show(a - room, b + room);
    });
  }
  window.addEventListener("resize", draw);
  draw();
})();
