"use strict";
// Picks from the grid in the page and draws: what is shown is reckoned by `kllm report`. Only watts
// are worked out here, tokens a second times joules.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const $ = (id) => document.getElementById(id);
  const FIELDS = ["model", "memory", "design", "bits", "phase", "batch", "context"];
  const DEFAULTS = { model: "llama-2-7b", memory: "hbm2x8", design: "lookup", bits: "8",
    phase: "decode", batch: "1", context: "1024" };
  const designs = [...new Set(data.engines.map((one) => one.design))];
  const SYMBOLS = ["circle", "square", "triangle-up", "triangle-down", "hexagon", "pentagon"];
  const count = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
  const digits = new Intl.NumberFormat("en", { minimumSignificantDigits: 3, maximumSignificantDigits: 3 });
  const figure = (value) => (value == null ? "" : digits.format(value));
  const bitsOf = (design) =>
    data.engines.filter((one) => one.design === design).map((one) => String(one.bits));

  // ---- the choice: seven selects, kept in the address
  function fill(select, entries) {
    select.replaceChildren(...entries.map(([value, text]) => new Option(text, value)));
  }
  let lastBits = DEFAULTS.bits; // of an engine that leaves a choice
  function fillBits() {
    const all = bitsOf($("design").value);
    fill($("bits"), all.map((bits) => [bits, all.length > 1 ? bits : `${bits}, as it is made`]));
    $("bits").value = all.length > 1 ? lastBits : all[0];
    $("bits").disabled = all.length < 2;
  }
  function start() {
    fill($("model"), data.models.map((one) => [one.argument, one.name]));
    fill($("memory"), data.memories.map((one) => [one.key, one.name.split(" at ")[0]]));
    fill($("design"), designs.map((name) => [name, name]));
    fill($("batch"), data.batches.map((n) => [n, n]));
    fill($("context"), data.contexts.map((n) => [n, count.format(n)]));
    take();
  }
  function take() {
    const given = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
    lastBits = bitsOf("lookup").includes(given.bits) ? given.bits : DEFAULTS.bits;
    for (const field of FIELDS) {
      if (field === "bits") {
        fillBits();
        continue;
      }
      const select = $(field), there = [...select.options].map((option) => option.value);
      select.value = [given[field], DEFAULTS[field], there[0]].find((value) => there.includes(value));
    }
  }
  function keep() {
    const parts = FIELDS.map((field) => [field, $(field).value]);
    history.replaceState(null, "", `#${new URLSearchParams(parts)}`);
  }

  // ---- figures of an engine
  function place(engine, model, phase, batch, context) {
    const { phases, batches, contexts, engines } = data;
    return (((model * engines.length + engine) * phases.length + phase) * batches.length + batch) *
      contexts.length + context;
  }
  function row(engine, at) {
    const one = data.engines[engine], memory = data.memories[at.memory], v = data.values;
    const n = place(engine, at.model, at.phase, at.batch, at.context);
    const alone = (at.model * data.engines.length + engine) * data.contexts.length + at.context;
    const speed = memory.tokens_per_second[n], dram = memory.dram_mj[n];
    const chip = v.array_mj[n] + v.sram_mj[n], whole = chip + dram;
    return { ...one, speed, dram, chip, whole, array: v.array_mj[n], sram: v.sram_mj[n],
      by_one: at.phase === 0 && data.batches[at.batch] === 1 ? memory.one_by_one[alone] : null,
      watts: speed * whole / 1000, bound: memory.bound[n] === "m" ? "memory" : "array",
      intensity: v.products[n] / v.bytes[n], rate: v.products[n] * speed,
      linear: v.linear_cycles[n], attention: v.attention_cycles[n] };
  }
  function state() {
    const find = (list, wanted) => list.findIndex((one) => String(one) === wanted);
    const at = {
      model: find(data.models.map((one) => one.argument), $("model").value),
      memory: find(data.memories.map((one) => one.key), $("memory").value),
      phase: find(data.phases, $("phase").value), batch: find(data.batches, $("batch").value),
      context: find(data.contexts, $("context").value) };
    const design = $("design").value;
    // One form of each engine: the bits that were chosen, where it leaves a choice.
    const shown = data.engines.map((one, n) => [one, n])
      .filter(([one]) => bitsOf(one.design).length < 2 || String(one.bits) === lastBits)
      .map(([, n]) => n);
    const chosen = shown.find((n) => data.engines[n].design === design);
    const model = data.models[at.model], batch = data.batches[at.batch];
    const all = at.phase ? [] : data.marks.filter((m) => m.model === model.name && m.batch === batch);
    const marks = nearest(all, data.contexts[at.context]);
    return { at, shown, chosen, all, marks, model, memory: data.memories[at.memory], batch,
      context: data.contexts[at.context], decode: at.phase === 0 };
  }

  // Of what was measured after several contexts, the one that comes nearest to the one chosen.
  function nearest(marks, context) {
    const away = (m) => Math.abs(Math.log((m.context ?? context) / context));
    const same = (m) => m.name.replace(/, context .*/, "");
    return marks.filter((m) => marks.every((o) => same(o) !== same(m) || away(o) >= away(m)));
  }

  // ---- words
  function put(id, value, text = figure(value)) {
    $(id).textContent = text;
    if (value != null) $(id).dataset.value = value; else delete $(id).dataset.value;
  }
  function words(s, rows) {
    const one = rows.find((r) => r.key === data.engines[s.chosen].key), tokens = count.format(s.context);
    const texts = s.batch > 1 ? `${s.batch} texts side by side, ` : "one text, ";
    const does = s.decode ? "generates" : "reads";
    $("before").textContent = s.decode ? "Tokens before" : "Tokens of the prompt";
    $("said").textContent = `${s.model.name} ${does} ${figure(one.speed)} tokens a second on ` +
      `${one.key} with ${s.memory.name}: ${texts}${s.decode ? `after ${tokens} tokens` :
        `a prompt of ${tokens} tokens`}. A token takes ${figure(one.whole)} mJ with DRAM, ` +
      `${figure(one.chip)} mJ of it in the chip; its linear layers wait for ${one.bound === "array" ? "the array" : "memory"}.`;
    put("speed", one.speed);
    $("speed_more").textContent = one.by_one ?
      `${figure(one.by_one)} tokens/s one layer after another, as programs run today` :
      one.key.startsWith("lookup") || one.design === "counter" ?
        "What programs of today do is known for one text alone" : "There is an array, no whole engine";
    put("energy", one.whole);
    $("energy_more").textContent = `${figure(one.chip)} mJ in the chip, ${figure(one.dram)} mJ in ` +
      `DRAM; ${figure(one.watts)} W in all`;
    put("area", one.mge);
    $("area_more").textContent = `${figure(one.mm2)} mm² at 7 nm; ${count.format(one.products)} ` +
      "products a cycle at 500 MHz";
    const known = one.perplexity != null;
    put("accuracy", one.perplexity, known ? `+${one.perplexity.toFixed(2)}` : "not measured");
    $("accuracy_unit").textContent = known ? "perplexity" : "";
    $("accuracy_more").textContent = !known ? "" : `± ${one.perplexity_error.toFixed(2)} over ` +
      `${data.full_precision}: ${one.accuracy_of.replaceAll("`", "")}`;
    $("full").textContent = data.full_precision;
    $("command").textContent = `kllm cycles ${s.model.argument} --design "${one.design}" --memory ` +
      `${s.memory.key} --bits-a ${lastBits} --batch ${s.batch} ` +
      `--context ${s.context}${s.decode ? "" : " --prefill"} --json -`;
    const facts = [
      ["The engine", `${one.about.replaceAll(" x ", " × ")} ${count.format(one.products)} products a cycle.`],
      ["The model", `${figure(s.model.weights / 1e9)} billion weights in ${s.model.layers} ` +
        `layers, ${s.model.heads} heads of queries on ${s.model.kv_heads} of keys and values.`],
      ["Cycles of a token", `${count.format(one.linear)} in linear layers, ` +
        `${count.format(one.attention)} in attention, of ${one.engines > 1 ? "each engine" : "the engine"}.`],
      ["The memory", `${figure(s.memory.bytes_per_second / 1e9)} GB/s, of which long bursts get ` +
        `${figure(s.memory.streamed / 1e9)}; ${s.memory.pj_per_bit} pJ a bit.`],
      ["Equal footing", "All engines take 8192 weights of 4 bits in a cycle, or as many bytes of " +
        "longer ones, at 500 MHz. There is RTL of a chip with one lookup engine of up to 16 × 64 " +
        "lanes; larger ones differ in their parameters, and chips of the others do not exist."]];
    $("facts").replaceChildren(...facts.flatMap(([term, said]) => {
      const dt = document.createElement("dt"), dd = document.createElement("dd");
      dt.textContent = term; dd.textContent = said;
      return [dt, dd];
    }));
    const gpus = s.marks.filter((m) => m.kind === "gpu").length;
    $("beside_note").textContent = !s.decode ? "Of prompts no other figures are here." : gpus ?
      "Upper left is better. GPUs are whole boards; the paper is its linear layers and HBM2." :
      s.marks.length ? "Upper left is better. No GPU was measured here; the paper is its linear layers." :
        "Upper left is better. For this model and number of texts no figures of others are known.";
    $("table_note").textContent = `${s.model.name}, ${s.memory.name}, ${texts}` +
      `${s.decode ? "after" : "a prompt of"} ${tokens} tokens. Choose an engine by its name. ` +
      (s.marks.length ? "GPUs have memories of their own; each stands with the nearest context that is known." : "");
  }
  function table(s, rows) {
    const lines = rows.map((r) => {
      const line = document.createElement("tr"), head = document.createElement("th");
      const button = document.createElement("button");
      line.className = r.key === data.engines[s.chosen].key ? "chosen" : "";
      if (line.className) line.setAttribute("aria-current", "true");
      head.scope = "row"; button.type = "button"; button.textContent = r.key;
      button.addEventListener("click", () => choose(r.design));
      head.append(button); line.append(head);
      cells(line, [r.speed, r.by_one, r.array, r.sram, r.dram, r.chip, r.whole, r.watts, r.mge, r.mm2]);
      cells(line, [r.perplexity == null ? "" : `+${r.perplexity.toFixed(2)}`, r.bound]);
      return line;
    });
    const others = s.marks.map((m) => {
      const line = document.createElement("tr"), head = document.createElement("th");
      const said = m.context && !m.name.includes("context") ? `, context ${count.format(m.context)}` : "";
      line.className = "other"; head.scope = "row"; head.textContent = m.name + said; line.append(head);
      const watts = m.whole_mj == null ? null : m.tokens_per_second * m.whole_mj / 1000;
      const most = (value) => (value == null ? "" : (m.bound ? "≤ " : "") + figure(value));
      cells(line, [m.tokens_per_second, null, null, null, null, m.chip_mj, most(m.whole_mj), most(watts)]);
      cells(line, ["", "", "", ""]);
      return line;
    });
    $("rows").replaceChildren(...lines, ...others);
    const sources = [...new Set(s.marks.map((m) => `${m.name.split(",")[0]}: ${m.source}`))];
    sources.push(`${s.memory.name}: ${s.memory.source}`, ...data.sources);
    $("sources").replaceChildren(...sources.map((text) => {
      const item = document.createElement("li");
      item.textContent = text;
      return item;
    }));
  }
  function cells(line, values) {
    for (const value of values) {
      const cell = line.insertCell();
      cell.textContent = typeof value === "string" ? value : figure(value);
      if (typeof value === "number") cell.dataset.value = value;
    }
  }
  function choose(design) {
    $("design").value = design;
    fillBits();
    change();
    document.querySelector("tr.chosen button").focus({ preventScroll: true });
  }

  function change() {
    keep();
    const s = state(), rows = s.shown.map((n) => row(n, s.at));
    words(s, rows);
    table(s, rows);
    const across = s.shown.map((n) =>
      data.contexts.map((_, context) => row(n, { ...s.at, context })));
    Charts.draw({ s, rows, across, data, designs, SYMBOLS, figure, count, choose });
  }
  start();
  $("design").addEventListener("change", fillBits);
  $("bits").addEventListener("change", () => { lastBits = $("bits").value; });
  $("choice").addEventListener("change", change);
  $("choice").addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", () => { take(); change(); });
  let late;
  addEventListener("resize", () => { clearTimeout(late); late = setTimeout(change, 150); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", change);
  addEventListener("beforeprint", () => { document.documentElement.dataset.print = ""; change(); });
  addEventListener("afterprint", () => { delete document.documentElement.dataset.print; change(); });
  change();
})();
