// Run in the assembled document once its math is typeset; `room` is the page's content box, in px.
(room) => {
  // Speech for what is read aloud: the formula's source.
  for (const box of document.querySelectorAll("mjx-container")) {
    const source = window.MathJax?.startup?.document?.getMathItemsWithin?.(box)[0]?.math;
    box.setAttribute("role", "img");
    if (source) box.setAttribute("aria-label", source);
  }

  // What is wider than the page is set smaller.
  for (const box of document.querySelectorAll("div.math, table, pre")) {
    const inner = box.matches("div.math") ? box.querySelector("mjx-container") : box;
    if (!inner) continue;
    const space = box.parentElement.getBoundingClientRect().width;
    const content = inner.querySelector("mjx-math");
    const width = content ? content.getBoundingClientRect().width : inner.scrollWidth;
    const number = box.querySelector(".eqno")?.getBoundingClientRect().width ?? 0;
    const ratio = (space - (number ? number + 12 : 0)) / width;
    if (ratio < 0.995) inner.style.fontSize = `${Math.max(0.5, ratio * 0.98) * 100}%`;
  }

  // A picture far taller than a page is cut above its panels' titles, or where there is a gap.
  const title = (mark) =>
    mark.closest(".role-title-text") ? parseFloat(mark.getAttribute("font-size")) : 0;
  const cuts = (image, most) => {
    const holder = document.createElement("div");
    holder.innerHTML = new TextDecoder().decode(
      Uint8Array.from(atob(image.src.split(",")[1]), (character) => character.charCodeAt(0)),
    );
    document.body.append(holder);
    const drawing = holder.querySelector("svg");
    const frame = drawing.getBoundingClientRect();
    const spans = [...drawing.querySelectorAll("path, text, rect, line, circle, image")]
      .map((mark) => [mark.getBoundingClientRect(), mark])
      .filter(([box]) => box.height > 0 && box.height < 0.5 * frame.height)
      .map(([box, mark]) => [box.top - frame.top, box.bottom - frame.top, title(mark)])
      .sort((one, other) => one[0] - other[0]);
    holder.remove();
    const largest = Math.max(...spans.map((span) => span[2]));
    const gaps = [];
    let end = 0;
    for (const [top, bottom, size] of spans) {
      const titled = size > 0 && size === largest;
      if (top - end > 4) gaps.push({ at: (top + end) / 2, width: top - end, titled });
      end = Math.max(end, bottom);
    }
    const found = [0];
    while (end - found.at(-1) > most) {
      const within = gaps.filter(
        ({ at }) => at > found.at(-1) + 0.35 * most && at <= found.at(-1) + most,
      );
      const next =
        within.filter(({ titled }) => titled).at(-1) ??
        within.sort((one, other) => other.width - one.width)[0];
      if (next === undefined) return null;
      found.push(next.at);
    }
    return [...found, Math.min(frame.height, end + 4)];
  };

  const most = room.height - 150; // with room for the caption
  for (const image of document.querySelectorAll("img")) {
    const height = image.naturalHeight * Math.min(1, room.width / image.naturalWidth);
    if (height <= most) continue;
    const found =
      height > 1.6 * most && image.src.startsWith("data:image/svg+xml;base64,") && cuts(image, most);
    if (!found) {
      image.style.maxHeight = `${most}px`;
      image.style.width = "auto";
      continue;
    }
    image.closest("figure")?.classList.add("sliced");
    for (const [i, top] of found.slice(0, -1).entries()) {
      const window_ = document.createElement("div");
      window_.className = "slice";
      window_.style.height = `${found[i + 1] - top}px`;
      const copy = image.cloneNode();
      copy.style.marginTop = `${-top}px`;
      if (i > 0) copy.alt = "";
      window_.append(copy);
      image.before(window_);
    }
    image.remove();
  }
  return document.querySelectorAll("mjx-merror").length;
}
