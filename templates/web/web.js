// What all pages share: the keys that are written on buttons, and the one that leads to the search.
(() => {
  const typing = (node) => node instanceof Element && node.closest("input, textarea, select, [contenteditable]");

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (document.querySelector("dialog[open]")) return;
    if (event.key === "/") {
      event.preventDefault();
      const field = document.querySelector("#query");
      if (field) field.focus();
      else location.assign("/search");
      return;
    }
    const button = document.querySelector(`button[data-key="${CSS.escape(event.key)}"]`);
    if (button && document.activeElement?.tagName !== "BUTTON") {
      event.preventDefault();
      button.click();
    }
  });

  // A facet adds its term to the query and asks again.
  document.addEventListener("click", (event) => {
    const facet = event.target instanceof Element && event.target.closest("[data-term]");
    const query = document.querySelector("#query");
    if (!facet || !query) return;
    query.value = `${query.value.trim()} ${facet.dataset.term}`.trim();
    query.form.requestSubmit();
  });

  // The ids of a batch may come from a file, one a line.
  const file = document.querySelector("#ids-file");
  file?.addEventListener("change", async () => {
    document.querySelector("#ids").value = await file.files[0].text();
  });
})();
