"use strict";
document.documentElement.classList.add("js");
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(name).trim();

  // Tables: sort by the column that is clicked, unknown values last.
  for (const table of document.querySelectorAll("table.sortable")) {
    table.querySelectorAll("thead th").forEach((head, at) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.textContent = "";
      head.append(button);
      button.addEventListener("click", () => sort(table, head, at));
    });
  }
  function sort(table, head, at) {
    const up = head.getAttribute("aria-sort") === "descending";
    for (const other of table.querySelectorAll("thead th")) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const body = table.tBodies[0];
    const keyed = [...body.rows].map((row) => {
      const cell = row.cells[at];
      const written = cell.dataset.value ?? cell.textContent;
      const number = Number(written);
      return { row, written, number: written.trim() !== "" && !Number.isNaN(number) ? number : null };
    });
    const numeric = head.classList.contains("number");
    keyed.sort((a, b) => {
      if (numeric) {
        if (a.number === null || b.number === null) return (a.number === null) - (b.number === null);
        return up ? a.number - b.number : b.number - a.number;
      }
      return up ? b.written.localeCompare(a.written) : a.written.localeCompare(b.written);
    });
    body.append(...keyed.map((one) => one.row));
  }

  // Tables: keep the rows that hold every word.
  for (const input of document.querySelectorAll("input[data-filters]")) {
    const rows = [...document.getElementById(input.dataset.filters).tBodies[0].rows];
    const texts = rows.map((row) => row.textContent.toLowerCase());
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      rows.forEach((row, at) => { row.hidden = !words.every((word) => texts[at].includes(word)); });
    });
  }

  // Charts.
  // Some scales have ticks beyond their ends.
  const inside = (u, at, k) => { const { min, max } = u.scales[u.axes[k].scale]; return at.map((value) => (value == null || value < min || value > max ? null : value)); };
  const axis = () => ({ stroke: color("--soft"), grid: { stroke: color("--line"), width: 0.5, filter: inside }, ticks: { stroke: color("--line"), filter: inside } });
  const drawn = [];
  function draw(place, options, columns) {
    const element = document.getElementById(place);
    element.replaceChildren();
    const size = () => ({ width: Math.max(element.clientWidth, 200), height: options.height ?? 260 });
    const plot = new uPlot({ ...options, ...size() }, columns, element);
    drawn.push(() => plot.setSize(size()));
    return plot;
  }
  addEventListener("resize", () => drawn.forEach((fit) => fit()));
  const bars = (gap) => uPlot.paths.bars({ size: [gap, 100], align: 0 });
  const shown = (value) => (value == null ? "" : String(Number(value.toPrecision(4))));
  const tints = () => ["--bar", "--minus", "--good", "--fair", "--bad", "--ink", "--soft"].map(color);
  // uPlot's number for a kind of axis; asinh is linear within its threshold.
  const scale = (kind) => ({ linear: {}, whole: {}, log: { distr: 3 }, asinh: { distr: 4, asinh: kind.threshold } })[kind.type];
  const ticked = (kind) => (u, at, k) => inside(u, at, k).map((value) => {
    if (value == null || (kind.type === "whole" && !Number.isInteger(value)) || (kind.type === "log" && !Number.isInteger(Math.round(Math.log10(value) * 1e6) / 1e6))) return "";
    const size = Math.abs(value);
    return size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(0) : String(Number(value.toPrecision(4)));
  });

  // Named bars, one beside the other.
  function named(place, names, values, title) {
    draw(place, {
      scales: { x: { time: false, range: (u, low, high) => [low - 0.5, high + 0.5] }, y: { range: (u, low, high) => uPlot.rangeNum(Math.min(low, 0), Math.max(high, 0), 0.1, true) } },
      axes: [{ ...axis(), values: (u, at) => at.map((k) => (Number.isInteger(k) ? k : "")) }, axis()],
      series: [
        { label: "name", value: (u, k) => (k == null ? "" : names[k - 1]) },
        { label: title, fill: color("--bar"), stroke: color("--bar"), paths: bars(0.8), points: { show: false }, value: (u, y) => shown(y) },
      ],
    }, [names.map((_, k) => k + 1), values]);
  }

  // Lines over a run; cursors of all of them move together, and a drag zooms in.
  function curves(chart) {
    const many = chart.lines.length > 8;
    const palette = tints();
    const shade = (k) => (chart.lines[k].tint != null ? palette[chart.lines[k].tint % palette.length] : many ? `hsl(${250 - (190 * k) / chart.lines.length} 60% 50%)` : palette[k % palette.length]);
    const caption = document.getElementById(chart.place).parentElement.querySelector("figcaption");
    const title = caption.textContent;
    const plot = draw(chart.place, {
      height: 240,
      cursor: { sync: { key: "run", scales: ["x", null] }, focus: { prox: 24 }, drag: { x: true, y: false } },
      focus: { alpha: many ? 0.15 : 0.4 },
      legend: { show: !many },
      scales: { x: { time: false, range: (u, low, high) => [low, high], ...scale(chart.across) }, y: scale(chart.up) },
      axes: [{ ...axis(), label: chart.counts, labelSize: 20, labelFont: "12px sans-serif", values: ticked(chart.across) }, { ...axis(), size: 62, values: ticked(chart.up) }],
      series: [
        { label: chart.counts, value: (u, x) => shown(x) },
        ...chart.lines.map((line, k) => ({
          label: line.label, stroke: line.faint ? color("--bar") + "66" : shade(k), width: line.faint ? 1 : 1.6, dash: line.dash ? [6, 4] : undefined,
          points: { show: line.dots ?? (!line.faint && chart.places.length <= 60), size: 4 }, value: (u, y) => shown(y), paths: line.dots ? () => null : undefined,
        })),
      ],
      bands: (chart.bands ?? []).map(([top, bottom]) => ({ series: [top + 1, bottom + 1], fill: color("--bar") + "22" })),
      hooks: {
        drawClear: [(u) => shaded(u, chart.began)],
        setSeries: many ? [(u, k) => { caption.textContent = k == null ? title : `${title}: ${chart.lines[k - 1].label}`; }] : [],
      },
    }, [chart.places, ...chart.lines.map((line) => line.values)]);
    return plot;
  }
  // The terminal phase of training.
  function shaded(u, began) {
    if (began == null) return;
    const left = Math.max(u.valToPos(began, "x", true), u.bbox.left);
    const right = u.bbox.left + u.bbox.width;
    if (left >= right) return;
    u.ctx.fillStyle = color("--soft") + "22";
    u.ctx.fillRect(left, u.bbox.top, right - left, u.bbox.height);
  }

  // Points with error bars, lines and their intervals.
  function cloud(chart) {
    const palette = tints();
    const points = chart.groups.flatMap((group, g) => group.x.map((x, k) => ({ x, y: group.y[k], g, k })));
    points.sort((a, b) => a.x - b.x);
    // All of it, with room around, unless a part was chosen.
    const whole = (k, which) => {
      const every = points.map((one) => one[which]), ends = [Math.min(...every), Math.max(...every)];
      return (u, low, high) => (low === ends[0] && high === ends[1] ? chart.ranges[k] : [low, high]);
    };
    const label = (u, g, at) => (at == null || points[at].g !== g ? "" : `${chart.groups[g].names[points[at].k]}: ${shown(points[at].x)}, ${shown(points[at].y)}`);
    const near = (u, left, top) => {
      let best = null, least = Infinity;
      points.forEach((one, at) => {
        const gap = Math.hypot(u.valToPos(one.x, "x") - left, u.valToPos(one.y, "y") - top);
        if (gap < least) { least = gap; best = at; }
      });
      return least < 30 ? best : null;
    };
    draw(chart.place, {
      height: 420,
      cursor: { drag: { x: true, y: true, uni: 20 }, points: { size: 9 }, dataIdx: (u, series, at) => { const one = near(u, u.cursor.left, u.cursor.top); return series === 0 ? one ?? at : one != null && points[one].g === series - 1 ? one : null; } },
      scales: { x: { time: false, range: whole(0, "x") }, y: { range: whole(1, "y") } },
      axes: [{ ...axis(), label: chart.x, labelSize: 22, labelFont: "12px sans-serif" }, { ...axis(), size: 62, label: chart.y, labelSize: 22, labelFont: "12px sans-serif" }],
      series: [
        { label: chart.x, value: (u, x) => shown(x) },
        ...chart.groups.map((group, g) => ({
          label: group.label, stroke: palette[g % palette.length], fill: palette[g % palette.length], paths: () => null,
          points: { show: true, size: points.length > 200 ? 4 : 8, fill: palette[g % palette.length] }, value: (u, y, k, at) => label(u, g, at),
        })),
      ],
      hooks: { drawClear: [(u) => chart.groups.forEach((group, g) => fitted(u, group, palette[g % palette.length], chart.groups.length === 1))] },
    }, [points.map((one) => one.x), ...chart.groups.map((_, g) => points.map((one) => (one.g === g ? one.y : null)))]);
  }
  function fitted(u, group, tint, lone) {
    const ctx = u.ctx;
    const across = (x) => u.valToPos(x, "x", true), up = (y) => u.valToPos(y, "y", true);
    const trail = (xs, ys) => xs.forEach((x, k) => (k ? ctx.lineTo(across(x), up(ys[k])) : ctx.moveTo(across(x), up(ys[k]))));
    ctx.save();
    ctx.beginPath();
    ctx.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
    ctx.clip();
    const band = group.band;
    if (band) {
      ctx.beginPath();
      trail([...band.x, ...[...band.x].reverse()], [...band.low, ...[...band.high].reverse()]);
      ctx.fillStyle = tint + "22";
      ctx.fill();
      ctx.strokeStyle = tint;
      ctx.lineWidth = 2;
      ctx.beginPath(); trail(band.x, band.fitted); ctx.stroke();
      ctx.lineWidth = 1;
      ctx.setLineDash([3, 4]);
      for (const ends of lone ? [band.under, band.over] : []) { ctx.beginPath(); trail(band.x, ends); ctx.stroke(); }
      ctx.setLineDash([]);
    }
    ctx.strokeStyle = tint;
    ctx.beginPath();
    group.x.forEach((x, k) => {
      const y = group.y[k], dx = group.x_sd[k], dy = group.y_sd[k];
      if (dx) { ctx.moveTo(across(x - dx), up(y)); ctx.lineTo(across(x + dx), up(y)); }
      if (dy) { ctx.moveTo(across(x), up(y - dy)); ctx.lineTo(across(x), up(y + dy)); }
    });
    ctx.stroke();
    ctx.restore();
  }

  const kinds = { curves, cloud, bars: (chart) => named(chart.place, chart.names, chart.values, chart.label) };
  for (const chart of data.charts ?? []) kinds[chart.kind](chart);
  const plain = (values) => values.map((value) => String(Number(value.toPrecision(6))));

  if (data.norms) named("norms", data.norms.names, data.norms.log10, "log10 rho_k");
  if (data.margins) {
    const [first, second] = tints();
    const samples = Object.entries(data.margins);
    const xs = [...new Set(samples.flatMap(([, one]) => one.middles))].sort((a, b) => a - b);
    draw("margins", {
      scales: { x: { time: false } },
      axes: [axis(), { ...axis(), values: (u, at) => plain(at) }],
      series: [
        { label: "margin", value: (u, x) => (x == null ? "" : x.toPrecision(4)) },
        ...samples.map(([name], k) => ({
          label: name, stroke: k ? second : first, fill: (k ? second : first) + "33", spanGaps: true, paths: uPlot.paths.stepped({ align: 0 }), points: { show: false },
        })),
      ],
    }, [xs, ...samples.map(([, one]) => {
      const known = new Map(one.middles.map((x, k) => [x, one.shares[k]]));
      return xs.map((x) => known.get(x));
    })]);
  }
  if (data.spectra) {
    const choice = document.getElementById("spectrum-layer");
    const show = () => {
      const one = data.spectra[choice.selectedIndex];
      const columns = [one.ranks, one.squares];
      const series = [
        { label: "rank", value: (u, k) => (k == null ? "" : k) },
        { label: "s\u00b2", stroke: color("--bar"), width: 1, points: { show: true, size: 4 }, value: (u, y) => (y == null ? "" : y.toPrecision(4)) },
      ];
      if (one.law) {
        columns.push(one.law.line);
        series.push({ label: "power law, alpha " + one.law.alpha.toFixed(2), stroke: color("--minus"), width: 2, dash: [6, 4], points: { show: false }, value: (u, y) => (y == null ? "" : y.toPrecision(4)) });
      }
      draw("spectra", {
        scales: { x: { time: false, distr: 3 }, y: { distr: 3 } },
        axes: [{ ...axis(), values: (u, at) => at.map((k) => (k == null || !Number.isInteger(Math.log10(k)) ? "" : k)) }, { ...axis(), size: 70, values: (u, at) => at.map((y) => (y == null || !Number.isInteger(Math.round(Math.log10(y) * 1e6) / 1e6) ? "" : y.toExponential(0))) }],
        series,
      }, columns);
    };
    choice.addEventListener("change", show);
    show();
  }
})();
