// Lights up what belongs together: a cell, its reasons and their words share keys.
(() => {
  const keysOf = (element) => element.dataset.k.split(" ");
  const keyed = (node) => (node instanceof Element ? node.closest("[data-k]") : null);
  let pinned = null;

  function light(source) {
    const wanted = new Set(source ? keysOf(source) : []);
    for (const element of document.querySelectorAll("[data-k]")) {
      element.classList.toggle("lit", keysOf(element).some((key) => wanted.has(key)));
    }
    document.body.classList.toggle("lighting", Boolean(source));
    // Words of several grades take the colour of the cell that is looked at.
    const tone = source && getComputedStyle(source);
    for (const name of ["fill", "word"]) {
      document.body.style.setProperty(`--lit-${name}`, tone?.getPropertyValue(`--${name}`) ?? "");
    }
  }

  // Without a pointer over anything, what has the focus or was followed last stays lit.
  const rest = () => light(keyed(document.activeElement) ?? pinned);

  // Only the report's own pane is scrolled: the reader's place on the page stays.
  function reveal() {
    const report = document.querySelector(".report");
    const first = report?.querySelector("mark.lit");
    if (!first) return;
    const pane = report.getBoundingClientRect();
    const words = first.getBoundingClientRect();
    if (words.top < pane.top || words.bottom > pane.bottom) {
      report.scrollTop += words.top - pane.top - pane.height / 3;
    }
  }

  function pin() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    pinned = target && keyed(target);
    rest();
    reveal();
  }

  function step(chip, columns, rows) {
    const cell = chip.closest("td");
    const body = cell.closest("tbody");
    let x = cell.cellIndex;
    let y = cell.parentElement.sectionRowIndex;
    for (;;) {
      x += columns;
      y += rows;
      const next = body.rows[y]?.cells[x];
      if (!next || next.tagName !== "TD") return;
      const link = next.querySelector("a");
      if (link) return link.focus();
    }
  }

  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      pinned = null;
      document.activeElement?.blur();
      light(null);
    }
    const chip = event.target instanceof Element && event.target.closest(".grid a");
    if (chip && arrows[event.key]) {
      event.preventDefault();
      step(chip, ...arrows[event.key]);
    }
  });
  document.addEventListener("pointerover", (event) => {
    const source = keyed(event.target);
    if (source) light(source);
    else rest();
  });
  document.addEventListener("pointerleave", rest);
  document.addEventListener("focusin", () => {
    rest();
    reveal();
  });
  document.addEventListener("focusout", rest);
  addEventListener("hashchange", pin);
  if (location.hash) pin();
})();
