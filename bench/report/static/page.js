"use strict";
/* Draws the figures when they come into view, from what stands in #data; asks nobody for anything. */
const DATA = JSON.parse(document.getElementById("data").textContent);
const AXES = { seconds: "seconds", gpu_seconds: "-seconds held", steps: "steps trained, all trials together", trials: "trials with a result" };
const FACTORS = ["speed-up to target", "scaling efficiency", "utilisation (below 1: the engine wastes)", "sample efficiency (below 1: the algorithm wastes)"];
const hidden = new Set();
const drawn = new Map(); // element -> a function that draws it again

/* Plotly reads some HTML in texts: what a journal says is text. */
const text = (value) => String(value).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
const short = (value, most) => (value.length > most ? value.slice(0, most - 1) + "…" : value);
const name = (series) => series.algorithm + (series.virtual ? " (virtual)" : "");
const visible = (series) => !hidden.has("algorithm " + series.algorithm) && !hidden.has(series.virtual ? "virtual" : "real");
const number = (value) => (value === null ? "?" : value === "inf" ? "∞" : Number(value.toPrecision(4)).toString());
const share = (value) => (value === null ? "?" : (100 * value).toFixed(1) + " %");
const css = (variable) => getComputedStyle(document.documentElement).getPropertyValue(variable).trim();
const finite = (values) => values.filter((value) => typeof value === "number" && Number.isFinite(value));
const interval = (low, high, n) => (n > 1 ? `95 % interval ${low} to ${high}` : "no interval");

const axis = (figure, of) => (of === "gpu_seconds" ? figure.unit + AXES[of] : AXES[of]);

function look(series) {
  const of = DATA.looks[series.algorithm];
  return {
    colour: of.colour,
    dash: series.virtual ? "dot" : "solid",
    symbol: of.symbol + (series.virtual ? "-open" : ""),
  };
}

function layout(changes) {
  const common = { gridcolor: css("--grid"), zerolinecolor: css("--line"), linecolor: css("--line"), automargin: true };
  return {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { color: css("--text"), family: "system-ui, sans-serif", size: 12 },
    margin: { l: 10, r: 12, t: 8, b: 10 }, showlegend: false, hovermode: "closest", dragmode: innerWidth < 640 ? false : "zoom",
    hoverlabel: { bgcolor: css("--page"), bordercolor: css("--line"), font: { color: css("--text") }, align: "left" },
    ...changes,
    xaxis: { ...common, ...changes.xaxis }, yaxis: { ...common, ...changes.yaxis },
  };
}

/* A range with a margin, in the axis' own units. */
function range(low, high, log) {
  if (log) return [Math.log10(low) - 0.08, Math.log10(high) + 0.08];
  const margin = 0.04 * (high - low || 1);
  return [low - margin, high + margin];
}

function regret(figure, state) {
  const shown = figure.series.filter((s) => s.axis === state.axis && s.gpus === +state.gpus && visible(s));
  const positive = shown.flatMap((s) => finite(s.regret)).filter((value) => value > 0);
  const least = positive.length ? Math.min(...positive) : 1;
  const floor = 10 ** Math.floor(Math.log10(Math.max(least, Math.max(...positive, 0) / 1e5)));
  const y = (value) => (value === "inf" || value === null ? null : state.logy ? Math.max(value, floor) : value);
  const alpha = Math.round(255 * Math.min(0.15, 0.9 / shown.length)).toString(16).padStart(2, "0");
  const traces = shown.flatMap((s) => {
    const of = look(s), line = { color: of.colour, dash: of.dash, width: 2, shape: "hv" };
    const edge = { x: s.x, mode: "lines", line: { width: 0, shape: "hv" }, hoverinfo: "skip" };
    const hover = s.x.map((x, i) => `<b>${text(name(s))}</b><br>${state.axis.replace("_", "-")} ${number(x)}: regret ${number(s.regret[i])}<br>` +
      `${interval(number(s.low[i]), number(s.high[i]), s.n[i])}, n = ${s.n[i]}`);
    return [
      { ...edge, y: s.low.map(y) },
      { ...edge, y: s.high.map(y), fill: "tonexty", fillcolor: of.colour + alpha },
      { x: s.x, y: s.regret.map(y), mode: "lines", line, hovertext: hover, hoverinfo: "text", name: text(name(s)), meta: "curve" },
      { x: s.x.slice(-1), y: s.regret.slice(-1).map(y), mode: "markers", marker: { color: of.colour, symbol: of.symbol, size: 9 }, hoverinfo: "skip" },
    ];
  });
  const title = axis(figure, state.axis) + (state.axis.endsWith("seconds") ? ` (${figure.clock} clock)` : "");
  const bottom = state.logy ? { exponentformat: "power", dtick: 1 } : { rangemode: "tozero" };
  return [traces, layout({
    xaxis: { type: state.logx ? "log" : "linear", title: { text: title } },
    yaxis: { type: state.logy ? "log" : "linear", title: { text: "simple regret (loss)" }, ...bottom },
  })];
}

function scaling(figure, state) {
  const of = +state.factor, shown = figure.series.filter(visible);
  const all = shown.flatMap((s) => Object.values(s.factors[of]).flatMap(finite)).filter((value) => value > 0);
  const low = Math.min(1, ...all), high = Math.max(1, ...all);
  const apart = (g, at) => g * 1.03 ** (at - (shown.length - 1) / 2); // side by side, as in the PNG
  const bound = (value) => (value === "inf" ? 8 * high : Math.max(value, low / 8));
  const traces = shown.flatMap((s, at) => {
    const f = s.factors[of], kind = look(s);
    const marker = { color: kind.colour, symbol: kind.symbol, size: 9 };
    const hover = s.gpus.map((g, i) => `<b>${text(name(s))}</b><br>${g} ${figure.unit}s: ${f.middle[i] === null
      ? `between ${number(f.least[i])} and ${number(f.most[i])} (censored)` : number(f.middle[i])}<br>${interval(number(f.low[i]), number(f.high[i]), s.n[i])}, n = ${s.n[i]} pairs`);
    const known = (i) => f.middle[i] !== null;
    const error = { type: "data", symmetric: false, thickness: 1.2, width: 3, color: kind.colour,
      array: s.gpus.map((_, i) => (known(i) && f.high[i] !== null ? bound(f.high[i]) - f.middle[i] : 0)),
      arrayminus: s.gpus.map((_, i) => (known(i) && f.low[i] !== null ? f.middle[i] - bound(f.low[i]) : 0)) };
    const made = [{ x: s.gpus.map((g) => apart(g, at)), y: f.middle, error_y: error, mode: "lines+markers", line: { color: kind.colour, dash: kind.dash, width: 2 }, marker, hovertext: hover, hoverinfo: "text", name: text(name(s)), meta: "curve" }];
    s.gpus.forEach((g, i) => { // not known: the range that is left open
      if (known(i) || (!f.least[i] && (f.most[i] === "inf" || f.most[i] === null))) return;
      made.push({ x: [apart(g, at), apart(g, at)], y: [bound(f.least[i]), bound(f.most[i])], mode: "lines+markers", opacity: 0.6, hovertext: hover[i], hoverinfo: "text",
        line: { color: kind.colour, dash: kind.dash, width: 4 }, marker: { ...marker, symbol: ["triangle-up", "triangle-down"].map((m) => m + (s.virtual ? "-open" : "")) } });
    });
    const ring = of === 0 ? s.enough.map((g) => [apart(g, at), f.middle[s.gpus.indexOf(g)] ?? f.least[s.gpus.indexOf(g)]]) : [];
    if (ring.length) made.push({ x: ring.map((p) => p[0]), y: ring.map((p) => p[1]), mode: "markers", marker: { color: kind.colour, symbol: "circle-open", size: 20, line: { width: 1.5 } }, hoverinfo: "skip" });
    return made;
  });
  const ends = [figure.counts[0], figure.counts[figure.counts.length - 1]];
  const base = Math.min(...figure.series.map((s) => s.base));
  traces.push({ x: figure.counts, y: figure.counts.map((g) => (of === 0 ? g / base : 1)), mode: "lines", line: { color: css("--dim"), dash: "dash", width: 1 }, hoverinfo: "skip" });
  const top = of === 0 ? Math.max(high, ends[1] / base) : high;
  return [traces, layout({
    xaxis: { type: state.logx ? "log" : "linear", tickvals: figure.counts, title: { text: `${figure.unit}s held` }, range: range(...ends, state.logx) },
    yaxis: { type: state.logy ? "log" : "linear", title: { text: FACTORS[of] }, range: range(state.logy ? low : 0, top, state.logy), exponentformat: "none" },
  })];
}

function ledger(figure, state) {
  const rows = figure.series.filter((s) => visible(s) && (state.gpus === "all" || s.gpus === +state.gpus)).reverse();
  const scale = (s) => (state.held ? s.held : 1);
  const most = innerWidth < 640 ? 18 : 40;
  const bars = (part, i, virtual) => {
    const colour = DATA.part_colours[i], those = rows.filter((s) => s.virtual === virtual);
    const whisker = (end, sign) => those.map((s) => Math.max(0, sign * ((s[end] ?? s.shares[0]) - s.shares[0]) * scale(s)));
    return {
      type: "bar", orientation: "h", name: part, legendgroup: part, showlegend: !virtual || !rows.some((s) => !s.virtual), meta: "curve",
      y: those.map((s) => rows.indexOf(s)), x: those.map((s) => (s.shares[i] ?? 0) * scale(s)),
      marker: virtual ? { color: colour, line: { color: colour, width: 1 }, pattern: { shape: ".", fgcolor: colour, bgcolor: "rgba(0,0,0,0)", size: 5, solidity: 0.4 } } : { color: colour },
      hovertext: those.map((s) => `<b>${text(name(s))}</b>, ${s.gpus} ${figure.unit}${s.gpus > 1 ? "s" : ""}, n = ${s.n}<br>${part}: ${share(s.shares[i])} of ${number(s.held)} ${figure.unit}-seconds` +
        (i ? "" : `<br>${interval(share(s.low), share(s.high), s.n)}`)),
      hoverinfo: "text",
      error_x: i ? undefined : { type: "data", symmetric: false, thickness: 1.2, width: 3, color: css("--text"), array: whisker("high", 1), arrayminus: whisker("low", -1) },
    };
  };
  const traces = DATA.parts.flatMap((part, i) => [bars(part, i, false), bars(part, i, true)]);
  return [traces, layout({
    barmode: "stack", bargap: 0.25, height: 130 + 24 * rows.length, showlegend: true, legend: { orientation: "h", y: 1, yanchor: "bottom", traceorder: "normal" },
    xaxis: { title: { text: state.held ? `${figure.unit}-seconds held by a search, on average` : `share of ${figure.unit}-seconds held` }, tickformat: state.held ? "" : ".0%" },
    yaxis: { tickvals: rows.map((_, at) => at), ticktext: rows.map((s) => text(`${short(s.algorithm, most)} · ${s.gpus}${s.virtual ? " (virtual)" : ""}`)), range: [-0.6, rows.length - 0.4] },
  })];
}

const KINDS = {
  regret: { draw: regret, state: { axis: "seconds", logx: false, logy: true }, toggles: { logx: "log x", logy: "log y" } },
  scaling: { draw: scaling, state: { factor: "0", logx: true, logy: true }, toggles: { logx: "log x", logy: "log y" } },
  ledger: { draw: ledger, state: { gpus: "all", held: false }, toggles: { held: "seconds, not shares" } },
};

function button(label, pressed, change) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = label;
  made.setAttribute("aria-pressed", pressed);
  made.addEventListener("click", () => {
    const now = made.getAttribute("aria-pressed") !== "true";
    made.setAttribute("aria-pressed", now);
    change(now);
  });
  return made;
}

function choice(label, options, chosen, change) {
  const made = document.createElement("select");
  made.setAttribute("aria-label", label);
  for (const [value, shown] of options) made.add(new Option(shown, value, false, String(value) === String(chosen)));
  made.addEventListener("change", () => change(made.value));
  return made;
}

function build(element, figure) {
  const { draw, state: first, toggles } = KINDS[figure.kind];
  const state = { gpus: figure.counts[0], ...first };
  const plot = element.querySelector(".plot"), controls = element.querySelector(".controls");
  const show = () => Plotly.react(plot, ...draw(figure, state), { responsive: true, displaylogo: false, displayModeBar: innerWidth < 640 ? false : "hover" });
  const set = (key) => (value) => { state[key] = value; show(); };
  const counts = figure.counts.map((g) => [g, `${g} ${figure.unit}${g > 1 ? "s" : ""}`]);
  if (figure.kind === "regret") {
    const axes = Object.keys(AXES).map((of) => [of, axis(figure, of).split(",")[0]]);
    controls.append(choice("horizontal axis", axes, state.axis, set("axis")));
  }
  if (figure.kind === "scaling") controls.append(choice("what is shown", FACTORS.map((f, i) => [i, f]), 0, set("factor")));
  else controls.append(choice("GPU count", figure.kind === "ledger" ? [["all", `all ${figure.unit} counts`], ...counts] : counts, state.gpus, set("gpus")));
  for (const [key, label] of Object.entries(toggles)) controls.append(button(label, state[key], set(key)));
  drawn.set(element, show);
  show();
}

function again() { for (const show of drawn.values()) show(); }

function chips() {
  const bar = document.querySelector(".chips");
  const toggle = (key) => (on) => { hidden[on ? "delete" : "add"](key); again(); };
  for (const [algorithm, of] of Object.entries(DATA.looks)) {
    const made = button("", true, toggle("algorithm " + algorithm)), glyph = document.createElement("span");
    glyph.textContent = of.glyph + " ";
    glyph.style.color = of.colour;
    made.append(glyph, short(algorithm, 40));
    bar.append(made);
  }
  if (DATA.clocks.length > 1) bar.append(button("── ● real", true, toggle("real")), button("┈┈ ○ virtual", true, toggle("virtual")));
}

chips();
const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    seen.unobserve(entry.target);
    build(entry.target, DATA.figures[entry.target.dataset.figure]);
  }
}, { rootMargin: "300px" });
for (const element of document.querySelectorAll("[data-figure]")) seen.observe(element);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
document.documentElement.dataset.ready = "true";
