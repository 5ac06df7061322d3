// Draws each figure's chart from its JSON in the theme of the page, and again when the theme or
// the width changes. Whatever fails, the static picture stays. Loaded by ltr_charts.py.
(function () {
  "use strict";

  const root = document.documentElement;
  const theme = () => (root.dataset.theme === "dark" ? "dark" : "light");
  const AXIS_ROOM = 76; // pixels that a y axis with its title takes beside a panel
  const LEGEND_BELOW = 500; // pixels of room under which legends move below the chart
  const LEGEND_SYMBOL = 40; // pixels that a legend's symbol and its spacing take
  const LETTER = 6.5; // pixels that a letter of a legend takes

  // Parameters with a control of their own (sliders, menus), whose values outlive a redraw.
  const controlled = (spec) =>
    (spec.params || []).filter((p) => p.bind && !p.select).map((p) => p.name);

  // How many entries of the widest legend fit side by side.
  function legendColumns(stage, room) {
    const labels = [...stage.querySelectorAll(".role-legend-label text")];
    const longest = Math.max(1, ...labels.map((label) => label.textContent.length));
    return Math.max(1, Math.floor((room - AXIS_ROOM) / (LEGEND_SYMBOL + LETTER * longest)));
  }

  // A view's legends with so many columns, where they have settings of their own.
  function withColumns(encoding, columns) {
    const out = {};
    for (const [channel, definition] of Object.entries(encoding)) {
      const legend = definition && definition.legend;
      out[channel] = legend ? { ...definition, legend: { ...legend, columns } } : definition;
    }
    return out;
  }

  // The chart laid out for a narrow page: panels under each other, legends in columns that fit.
  function narrow(spec, room, columns, top = true) {
    const out = { ...spec };
    const inner = (part) => narrow(part, room, columns, false);
    if (out.hconcat) {
      out.vconcat = out.hconcat;
      delete out.hconcat;
    }
    for (const key of ["vconcat", "concat"]) if (out[key]) out[key] = out[key].map(inner);
    if (out.concat || (out.facet && out.columns)) out.columns = 1;
    if (out.spec) out.spec = inner(out.spec);
    if (out.encoding) out.encoding = withColumns(out.encoding, columns);
    if (out.layer) out.layer = out.layer.map((part) => layered(part, columns));
    if (out.mark || out.layer) {
      if (top && typeof out.width !== "object") {
        out.width = room;
        out.autosize = { type: "fit-x", contains: "padding" };
      } else if (typeof out.width === "number") {
        out.width = Math.min(out.width, room - AXIS_ROOM);
      } else if (out.width === undefined) {
        out.width = room - AXIS_ROOM;
      }
    }
    return out;
  }

  // A layer keeps the size of its view: only its legends change.
  function layered(part, columns) {
    const out = { ...part };
    if (out.encoding) out.encoding = withColumns(out.encoding, columns);
    if (out.layer) out.layer = out.layer.map((inner) => layered(inner, columns));
    return out;
  }

  // The theme's config; a chart's own config wins over it.
  function config(isNarrow, room, columns) {
    const own = window.ltrVega.themes[theme()];
    if (!isNarrow) return own;
    const orient = room < LEGEND_BELOW ? { orient: "bottom" } : {};
    return { ...own, legend: { ...own.legend, ...orient, columns } };
  }

  class Figure {
    constructor(host) {
      this.host = host;
      this.live = host.querySelector(".ltr-chart-live");
      this.alt = host.querySelector(".ltr-chart-static").alt;
      this.spec = JSON.parse(host.querySelector('script[type="application/json"]').textContent);
      this.name = (host.closest("figure") || host).id || "chart";
      this.turn = 0;
      this.natural = 0; // width of the chart as it was written
    }

    get room() {
      return this.host.clientWidth;
    }

    async embed(isNarrow) {
      const stage = document.createElement("div");
      const columns = isNarrow ? legendColumns(this.drawn, this.room) : undefined;
      const spec = isNarrow ? narrow(this.spec, this.room, columns) : this.spec;
      const result = await window.ltrVega.embed(stage, spec, {
        mode: "vega-lite",
        config: config(isNarrow, this.room, columns),
        renderer: "svg",
        actions: { export: { svg: true, png: true }, source: false, compiled: false, editor: false },
        downloadFileName: this.name,
        tooltip: { theme: theme() },
      });
      return { stage, result, isNarrow };
    }

    async draw() {
      const turn = ++this.turn;
      this.drawnRoom = this.room;
      const isNarrow = () => this.room > 0 && this.natural > this.room;
      let drawn = await this.embed(isNarrow());
      if (!this.natural) {
        this.natural = drawn.stage.querySelector("svg").width.baseVal.value;
        this.drawn = drawn.stage;
        if (isNarrow()) {
          drawn.result.finalize();
          drawn = await this.embed(true);
        }
      }
      const view = drawn.result.view;
      if (this.view) {
        for (const name of controlled(this.spec)) view.signal(name, this.view.signal(name));
        await view.runAsync();
      }
      if (turn !== this.turn) {
        drawn.result.finalize();
        return;
      }
      this.show(drawn);
    }

    show({ stage, result }) {
      for (const name of ["role", "aria-roledescription", "aria-label"]) {
        result.view.container().removeAttribute(name);
      }
      const svg = stage.querySelector("svg");
      svg.setAttribute("role", "img");
      svg.setAttribute("aria-label", this.alt);
      // The brush's own rectangles are symbols without a name, which the picture's label covers.
      for (const part of svg.querySelectorAll('[class*="brush"]')) {
        part.removeAttribute("role");
        part.removeAttribute("aria-roledescription");
        part.setAttribute("aria-hidden", "true");
      }
      const menu = stage.querySelector("summary");
      if (menu) menu.setAttribute("aria-label", "Save the chart as a picture");
      for (const form of stage.querySelectorAll("form")) {
        form.addEventListener("submit", (event) => event.preventDefault());
      }
      const previous = this.result;
      this.live.replaceChildren(stage);
      this.drawn = stage;
      this.result = result;
      this.view = result.view;
      this.host.classList.add("ltr-live");
      this.host.dataset.theme = theme();
      if (previous) previous.finalize();
    }

    // A width matters only where the chart is, or would have to be, laid out for it.
    resized() {
      const before = this.drawnRoom;
      const now = this.room;
      return now > 0 && now !== before && Math.min(now, before || 0) < this.natural;
    }
  }

  function attempt(figure) {
    return figure.draw().catch((error) => {
      figure.host.classList.remove("ltr-live");
      console.error(`chart ${figure.host.id} was not drawn:`, error);
    });
  }

  async function start() {
    const figures = [];
    for (const host of document.querySelectorAll("div.ltr-chart")) {
      try {
        figures.push(new Figure(host));
      } catch (error) {
        console.error(`chart ${host.id} was not read:`, error);
      }
    }
    for (const figure of figures) await attempt(figure);

    new MutationObserver(() => figures.forEach(attempt)).observe(root, {
      attributes: true,
      attributeFilter: ["data-theme"],
    });

    let timer;
    const settle = () => figures.filter((figure) => figure.resized()).forEach(attempt);
    const observer = new ResizeObserver(() => {
      clearTimeout(timer);
      timer = setTimeout(settle, 150);
    });
    figures.forEach((figure) => observer.observe(figure.host));
  }

  start();
})();
