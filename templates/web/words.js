// Bytes of the report's text to and from places in the page.

const encoder = new TextEncoder();
const report = () => document.querySelector("#report");

const textNodes = () => {
  const walker = document.createTreeWalker(report(), NodeFilter.SHOW_TEXT);
  const nodes = [];
  while (walker.nextNode()) nodes.push(walker.currentNode);
  return nodes;
};

function byteOf(node, offset) {
  const range = document.createRange();
  range.setStart(report(), 0);
  range.setEnd(node, offset);
  return encoder.encode(range.toString()).length;
}

export function rangeOf(start, end) {
  const range = document.createRange();
  let at = 0;
  let begun = false;
  for (const node of textNodes()) {
    const length = encoder.encode(node.data).length;
    const place = (byte) => {
      const bytes = encoder.encode(node.data).slice(0, byte - at);
      return new TextDecoder().decode(bytes).length;
    };
    if (!begun && start < at + length) {
      range.setStart(node, place(start));
      begun = true;
    }
    if (begun && end <= at + length) {
      range.setEnd(node, place(end));
      return range;
    }
    at += length;
  }
  return null;
}

export const words = (start, end) => rangeOf(start, end)?.toString() ?? "";

// What is selected within the report, as bytes and as words.
export function selection() {
  const chosen = getSelection();
  if (!chosen.rangeCount || chosen.isCollapsed) return null;
  const range = chosen.getRangeAt(0);
  if (!report().contains(range.commonAncestorContainer)) return null;
  const start = byteOf(range.startContainer, range.startOffset);
  return { span: [start, start + encoder.encode(range.toString()).length], text: range.toString() };
}
