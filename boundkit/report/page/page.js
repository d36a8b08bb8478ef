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
  const axis = () => ({ stroke: color("--soft"), grid: { stroke: color("--line"), width: 0.5 }, ticks: { stroke: color("--line") } });
  const drawn = [];
  function draw(place, options, columns) {
    const element = document.getElementById(place);
    element.replaceChildren();
    const size = () => ({ width: Math.max(element.clientWidth, 200), height: 260 });
    const plot = new uPlot({ ...size(), ...options }, columns, element);
    drawn.push(() => plot.setSize(size()));
  }
  addEventListener("resize", () => drawn.forEach((fit) => fit()));
  const bars = (gap) => uPlot.paths.bars({ size: [gap, 100], align: 0 });
  const plain = (values) => values.map((value) => String(Number(value.toPrecision(6))));

  if (data.norms) {
    draw("norms", {
      scales: { x: { time: false, range: (u, low, high) => [low - 0.5, high + 0.5] }, y: { range: (u, low, high) => uPlot.rangeNum(Math.min(low, 0), Math.max(high, 0), 0.1, true) } },
      axes: [{ ...axis(), values: (u, at) => at.map((k) => (Number.isInteger(k) ? k : "")) }, axis()],
      series: [
        { label: "layer", value: (u, k) => (k == null ? "" : data.norms.names[k - 1]) },
        { label: "log10 rho_k", fill: color("--bar"), stroke: color("--bar"), paths: bars(0.8), points: { show: false } },
      ],
    }, [data.norms.names.map((_, k) => k + 1), data.norms.log10]);
  }
  if (data.margins) {
    const tints = [color("--bar"), color("--minus")];
    const samples = Object.entries(data.margins);
    const xs = [...new Set(samples.flatMap(([, one]) => one.middles))].sort((a, b) => a - b);
    draw("margins", {
      scales: { x: { time: false } },
      axes: [axis(), { ...axis(), values: (u, at) => plain(at) }],
      series: [
        { label: "margin", value: (u, x) => (x == null ? "" : x.toPrecision(4)) },
        ...samples.map(([name], k) => ({
          label: name, stroke: tints[k], fill: tints[k] + "33", spanGaps: true, paths: uPlot.paths.stepped({ align: 0 }), points: { show: false },
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
