"use strict";
// The five charts, with Plotly. Colours are those of the page, so that they follow its scheme.
const Charts = (() => {
  const config = { displayModeBar: false, responsive: true, displaylogo: false };
  let colour, chosen, wide;

  function frame(x, y, more = {}) {
    const axis = (title, others) => ({ title: { text: title, standoff: 8 }, automargin: true,
      gridcolor: colour("line"), linecolor: colour("soft"), zerolinecolor: colour("line"),
      tickcolor: colour("soft"), fixedrange: true, ...others });
    const { xaxis = {}, yaxis = {}, ...rest } = more;
    const size = wide ? { width: wide, height: 340 } : { autosize: true };
    return { ...size, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", dragmode: false,
      font: { family: "system-ui, sans-serif", size: 12, color: colour("ink") },
      margin: { l: 56, r: 14, t: 8, b: 44 }, hovermode: "closest",
      hoverlabel: { bgcolor: colour("card"), bordercolor: colour("soft"), font: { color: colour("ink") } },
      legend: { orientation: "h", yanchor: "top", y: -0.2, x: 0, font: { size: 11 },
        entrywidth: 88, entrywidthmode: "pixels" },
      xaxis: axis(x, xaxis), yaxis: axis(y, yaxis), ...rest };
  }
  // Ticks of a logarithmic axis between two powers of ten: fewer where there are many decades.
  const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
  function log(range) {
    const wanted = range[1] - range[0] > 2.2 ? [1] : [1, 2, 5], tickvals = [];
    for (let power = Math.floor(range[0]); power <= range[1]; power += 1) {
      tickvals.push(...wanted.map((n) => n * 10 ** power));
    }
    return { type: "log", range, tickvals, ticktext: tickvals.map((n) => compact.format(n)) };
  }
  function looks(page, r) {
    const n = page.designs.indexOf(r.design), big = r.key === chosen;
    return { color: colour(`c${n}`), symbol: page.SYMBOLS[n], size: big ? 16 : 10,
      line: { color: colour("ink"), width: big ? 2 : 0 } };
  }
  function draw(page) {
    const style = getComputedStyle(document.documentElement);
    colour = (name) => style.getPropertyValue(`--${name}`).trim();
    chosen = page.data.engines[page.s.chosen].key;
    wide = document.documentElement.dataset.print === undefined ? 0 : 660;
    for (const [id, chart] of Object.entries({ energy, roof, context, parts, area })) {
      const { traces, layout, said } = chart(page);
      const at = document.getElementById(`chart_${id}`);
      at.setAttribute("aria-label", `${said} The table below has the numbers.`);
      Plotly.react(at, traces, layout, config);
      at.removeAllListeners?.("plotly_click");
      at.on("plotly_click", ({ points }) => {
        const design = points[0].data.meta;
        if (design) page.choose(design);
      });
    }
  }
  function marked(page, marks, x, y, unit) {
    const kinds = [["gpu", "GPU, whole board", "diamond"], ["paper", "KLLM's paper", "star"]];
    return kinds.map(([kind, name, symbol]) => {
      const found = marks.filter((m) => m.kind === kind && m[x] != null && m[y] != null);
      // Names of all would cover each other: those of four bits have theirs, others when pointed at.
      const short = (m) => (kind === "paper" ? "paper" : m.name.includes("int4") ? m.name.slice(0, 10) : "");
      return { type: "scatter", mode: "markers+text", name, x: found.map((m) => m[x]),
        y: found.map((m) => m[y]), text: found.map(short), cliponaxis: false,
        textposition: kind === "gpu" ? "middle left" : "top center",
        textfont: { size: 11, color: colour("ink") },
        marker: { color: colour(kind === "gpu" ? "gpu" : "book"), symbol, size: 11 },
        hovertext: found.map((m) => `${m.name}<br>${page.figure(m[x])} ${unit}<br>` +
          `${page.figure(m.tokens_per_second)} tokens/s${m.bound ? "<br>joules: at most" : ""}`),
        hoverinfo: "text", showlegend: found.length > 0 };
    });
  }
  function span(values, low, high) {
    const known = values.filter((value) => value > 0);
    return [Math.log10(Math.min(...known) * low), Math.log10(Math.max(...known) * high)];
  }

  function energy(page) {
    const traces = page.rows.map((r) => ({ type: "scatter", mode: "markers", name: r.key, meta: r.design,
      x: [r.whole], y: [r.speed], marker: looks(page, r), hoverinfo: "text",
      hovertext: `${r.key}<br>${page.figure(r.whole)} mJ<br>${page.figure(r.speed)} tokens/s<br>` +
        `${page.figure(r.watts)} W` }));
    traces.push(...marked(page, page.s.marks, "whole_mj", "tokens_per_second", "mJ"));
    const xs = traces.flatMap((t) => t.x), ys = traces.flatMap((t) => t.y);
    const xr = span(xs, 0.6, 1.8), yr = span(ys, 0.6, 1.7);
    // Lines of equal power: tokens a second times mJ are mW.
    for (const watts of [0.1, 1, 10, 100, 1000, 10000]) {
      const ends = [xr[0], xr[1]].map((x) => [x, Math.log10(watts * 1000) - x]);
      const top = [Math.log10(watts * 1000) - yr[1], yr[1]], from = top[0] > xr[0] ? top : ends[0];
      if (from[0] > xr[1] || from[1] < yr[0]) continue;
      traces.unshift({ type: "scatter", mode: "lines+text", x: [10 ** from[0], 10 ** ends[1][0]],
        y: [10 ** from[1], 10 ** ends[1][1]], text: [` ${watts} W`, ""], textposition: "bottom right",
        textfont: { size: 10, color: colour("soft") }, hoverinfo: "skip", showlegend: false,
        line: { color: colour("soft"), width: 1, dash: "dot" } });
    }
    const layout = frame("mJ a token, chip and DRAM", page.s.decode ? "tokens/s" : "tokens/s of a prompt",
      { xaxis: log(xr), yaxis: log(yr) });
    return { traces, layout, said: "Tokens a second over energy of a token, for each engine and others." };
  }
  function roof(page) {
    const streamed = page.s.memory.streamed, traces = [], own = { showlegend: false, hoverinfo: "skip" };
    const all = [...page.rows.map((r) => r.intensity), ...page.s.marks.map((m) => m.intensity)];
    const xr = span(all.filter((x) => x), 0.4, 4), knees = page.rows.map((r) => r.products * page.data.clock / streamed);
    xr[1] = Math.max(xr[1], Math.log10(Math.max(...knees) * 1.6));
    const yr = span([...page.rows, ...page.s.marks].map((one) => one.rate), 0.5, 1);
    yr[1] = Math.log10(Math.max(...page.rows.map((r) => r.products)) * page.data.clock * 1.6);
    for (const r of [...page.rows].sort((a, b) => (a.key === chosen) - (b.key === chosen))) {
      const top = r.products * page.data.clock, knee = top / streamed, big = r.key === chosen;
      const paint = colour(`c${page.designs.indexOf(r.design)}`);
      traces.push({ ...own, type: "scatter", mode: "lines", x: [10 ** xr[0], knee, 10 ** xr[1]],
        y: [10 ** xr[0] * streamed, top, top], opacity: big ? 1 : 0.45,
        line: { color: paint, width: big ? 3 : 1.2 } });
    }
    traces.push(...page.rows.map((r) => ({ type: "scatter", mode: "markers", name: r.key, meta: r.design,
      x: [r.intensity], y: [r.rate], marker: looks(page, r), hoverinfo: "text",
      hovertext: `${r.key}<br>${page.figure(r.intensity)} products a byte<br>` +
        `${page.figure(r.rate / 1e12)} T products/s` })));
    traces.push(...marked(page, page.s.marks, "intensity", "rate", "products a byte"));
    const layout = frame("products for each byte from memory", "products a second",
      { xaxis: log(xr), yaxis: log(yr) });
    return { traces, layout, said: "Products a second over products for each byte: roofs and points." };
  }
  function context(page) {
    const traces = page.across.map((row) => ({ type: "scatter", mode: "lines+markers", name: row[0].key,
      meta: row[0].design, x: page.data.contexts, y: row.map((r) => r.speed),
      line: { color: colour(`c${page.designs.indexOf(row[0].design)}`), width: row[0].key === chosen ? 3.5 : 1.5 },
      marker: { symbol: page.SYMBOLS[page.designs.indexOf(row[0].design)], size: row[0].key === chosen ? 8 : 5 },
      hovertext: row.map((r, n) => `${r.key}, ${page.count.format(page.data.contexts[n])} tokens<br>` +
        `${page.figure(r.speed)} tokens/s`), hoverinfo: "text" }));
    const points = marked(page, page.s.all, "context", "tokens_per_second", "tokens before");
    traces.push({ ...points[0], mode: "markers" });
    const at = page.s.context, yr = span(traces.flatMap((t) => t.y), 0.7, 1.4);
    const room = document.getElementById("chart_context").clientWidth > 460;
    const ticks = page.data.contexts.filter((_, n) => room || n % 2 === 0);
    const labels = ticks.map((n) => (n < 1024 ? n : `${n / 1024}K`));
    const layout = frame(page.s.decode ? "tokens before" : "tokens of the prompt", "tokens/s",
      { xaxis: { type: "log", tickvals: ticks, ticktext: labels, tickangle: 0 }, yaxis: log(yr),
        shapes: [{ type: "line", x0: at, x1: at, yref: "paper", y0: 0, y1: 1,
          line: { color: colour("soft"), width: 1, dash: "dash" } }] });
    return { traces, layout, said: "Tokens a second over tokens before, for each engine." };
  }
  function parts(page) {
    const names = page.rows.map((r) => (r.key === chosen ? `<b>${r.key}</b>` : r.key));
    const kinds = [["array", "array × 3", "c0"], ["sram", "buffers", "c2"], ["dram", "DRAM", "c5"]];
    const traces = kinds.map(([key, name, paint]) => ({ type: "bar", orientation: "h", name, y: names,
      x: page.rows.map((r) => r[key]), marker: { color: colour(paint) }, hoverinfo: "text",
      hovertext: page.rows.map((r) => `${r.key}: ${name} ${page.figure(r[key])} mJ`) }));
    const layout = frame("mJ a token", "", { barmode: "stack", bargap: 0.35,
      yaxis: { autorange: "reversed", title: { text: "" } } });
    layout.legend.traceorder = "normal";
    return { traces, layout, said: "Energy of a token by engine: array, buffers, DRAM." };
  }
  function area(page) {
    // Four engines of a quarter take the gates of one.
    const known = page.data.engines.filter((r) => r.perplexity != null && r.engines !== 4);
    const traces = known.map((r) => ({ type: "scatter", mode: "markers+text", x: [r.mge], y: [r.perplexity],
      text: [r.key], textposition: r.mge > 4 ? "top left" : "top right", showlegend: false, hoverinfo: "text",
      meta: r.design, textfont: { color: colour("ink") }, marker: looks(page, r),
      error_y: { type: "data", array: [r.perplexity_error], color: colour("soft"), thickness: 1 },
      hovertext: `${r.key}<br>${page.figure(r.mge)} MGE<br>+${r.perplexity.toFixed(2)} ± ` +
        r.perplexity_error.toFixed(2) }));
    const layout = frame("million gate equivalents of the array", "increase of perplexity",
      { xaxis: { rangemode: "tozero" }, yaxis: { rangemode: "tozero" } });
    return { traces, layout, said: "Increase of perplexity over the area of the array." };
  }
  return { draw };
})();
