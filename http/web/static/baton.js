/* What the pages can do beyond links and forms. Everything here is an improvement: without it the main paths still work. */
"use strict";
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const remember = (name, value) => { document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=lax`; };
  const isTyping = (target) => target.closest && target.closest("input, textarea, select, [contenteditable]");

  // The zone that times are shown in. The first visit is shown in UTC; the next page knows better.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && !document.cookie.includes(`baton_zone=${zone}`)) remember("baton_zone", zone);

  // htmx: forms carry the token; nothing is evaluated, no styles are written into the page.
  document.addEventListener("htmx:configRequest", (event) => {
    const token = $("meta[name=csrf]");
    if (token) event.detail.headers["X-CSRF-Token"] = token.content;
  });
  // A refusal is a page too: show it.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.status >= 400) { event.detail.shouldSwap = true; event.detail.isError = false; }
  });

  // Parts are replaced under the reader's hands: what had the focus or was chosen there stays so, and what is being written is
  // not replaced at all.
  const nameOf = (element) => element.id ? `#${CSS.escape(element.id)}`
    : element.matches("a[href]") ? `a[href="${CSS.escape(element.getAttribute("href"))}"]`
      : element.name ? `[name="${CSS.escape(element.name)}"][value="${CSS.escape(element.value)}"]` : null;
  let held = [];
  let focused = null;
  document.addEventListener("htmx:beforeSwap", (event) => {
    const part = event.detail.target;
    if ($$("textarea", part).some((area) => area.value !== area.defaultValue)) { event.detail.shouldSwap = false; return; }
    focused = part.contains(document.activeElement) ? nameOf(document.activeElement) : null;
    held = $$("input[type=checkbox]:checked", part).map(nameOf);
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    const part = event.detail.target;
    for (const name of held) { const box = name && $(name, part); if (box) box.checked = true; }
    const again = focused && $(focused, part);
    if (again) again.focus({ preventScroll: true });
    [held, focused] = [[], null];
    count();
  });

  // Forms of a part that changes with the ticket (data-forms). While somebody writes in one, it stays as it is and says so; what
  // was written goes over into the new ones, and what no new form takes is shown.
  const isChanged = (field) => field.matches("[type=checkbox], [type=radio]") ? field.checked !== field.defaultChecked
    : field.tagName === "SELECT" ? field.selectedIndex !== Math.max(0, [...field.options].findIndex((option) => option.defaultSelected))
      : field.type !== "hidden" && field.value !== field.defaultValue;
  const written = (part) => $$("form textarea, form input, form select", part).filter(isChanged);
  const isBusy = (part) => $("dialog[open]", part) !== null || written(part).some((field) => field.offsetParent !== null);
  const fieldKey = (field) => [field.form.getAttribute("action"), field.form.elements.transition?.value || "", field.name].join(" ");
  let carried = null;
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const part = event.detail.target;
    if (!part.matches("[data-forms]")) return;
    if (isBusy(part)) {
      event.detail.shouldSwap = false;
      part.dataset.stale = "1";
      const note = $("dialog[open] [data-stale]", part) || $("[data-stale]", part);
      if (note && !note.textContent) note.textContent = part.dataset.changed;
      return;
    }
    delete part.dataset.stale;
    carried = {
      fields: written(part).map((field) => [fieldKey(field), field.value, field.tagName === "TEXTAREA"]),
      open: $$("details[open] > summary", part).map((summary) => summary.textContent),
      focused: part.contains(document.activeElement) ? document.activeElement.dataset.command : null,
    };
  });
  document.addEventListener("htmx:oobAfterSwap", (event) => {
    const part = event.detail.target;
    if (!carried || !part.matches("[data-forms]")) return;
    const fields = $$("form textarea, form input, form select", part);
    for (const [key, value, isText] of carried.fields) {
      const field = fields.find((each) => fieldKey(each) === key && !each.closest("noscript"));
      if (field && (field.tagName !== "SELECT" || [...field.options].some((option) => option.value === value))) field.value = value;
      else if (isText) leave(value);
    }
    for (const summary of $$("details > summary", part)) if (carried.open.includes(summary.textContent)) summary.parentElement.open = true;
    const again = carried.focused && $(`[data-command="${CSS.escape(carried.focused)}"]`, part);
    if (again) again.focus({ preventScroll: true });
    carried = null;
  });
  const leave = (text) => {
    const place = $("#leftover");
    if (!place) return;
    const kept = document.createElement("p");
    kept.className = "described";
    kept.textContent = text;
    place.append(kept);
    place.hidden = false;
  };
  // A form that was left as it was is brought up to date as soon as nobody writes in it.
  const refreshed = (event) => {
    const part = event.target.closest && event.target.closest("[data-forms][data-stale]");
    if (part && !isBusy(part)) wake();
  };
  document.addEventListener("close", refreshed, true);
  document.addEventListener("toggle", refreshed, true);
  document.addEventListener("input", refreshed);

  // Live: the page names a stream; whatever arrives on it wakes the parts that ask for it (hx-trigger="live from:body").
  const streamed = $("[data-live]")?.dataset.live;
  let stream = null;
  let waiting = null;
  const wake = () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      document.body.dispatchEvent(new CustomEvent("live"));
      $$("details[open][hx-get]").forEach((part) => part.dispatchEvent(new CustomEvent("refresh")));
    }, 60);
  };
  const listen = () => {
    if (stream) { stream.close(); stream = null; }
    if (!streamed || !window.EventSource) return;
    stream = new EventSource(streamed + (others ? `?watch=${watch}` : ""));
    let opened = false;
    stream.onopen = () => { document.body.dataset.live = "on"; if (opened) wake(); opened = true; };
    stream.onerror = () => { document.body.dataset.live = "off"; showOthers([], true); };
    stream.addEventListener("presence", (event) => showOthers(JSON.parse(event.data).people || []));
    stream.addEventListener("typing", (event) => showTyping(JSON.parse(event.data)));
    stream.onmessage = wake;
    ["entry", "comment_message", "entry_edited", "entry_deleted", "ticket_event", "notification", "change", "unread"].forEach((kind) =>
      stream.addEventListener(kind, (event) => {
        wake();
        const status = $("#announce");
        if (status && event.type !== "unread") status.textContent = status.dataset.text || "";
      }));
  };
  // Who else is on this page, and who types: said to those who hear the page as well, and not more often than it changes.
  const others = $("#others");
  const watch = others ? [...crypto.getRandomValues(new Uint8Array(12))].map((each) => each.toString(16).padStart(2, "0")).join("") : "";
  const typists = new Map();
  const names = (list) => new Intl.ListFormat(document.documentElement.lang).format(list);
  const say = (place, people, one, many) => {
    const text = people.length ? (people.length === 1 ? one : many).replace("{names}", () => names(people)) : "";
    if (place.textContent !== text) place.textContent = text;
  };
  const showTypists = () => others && say($("[data-others=typing]", others), [...typists.values()].map((each) => each.name), others.dataset.typingOne, others.dataset.typingMany);
  const showOthers = (people, all = false) => {
    if (!others) return;
    say($("[data-others=here]", others), people.map((each) => each.name || each.id), others.dataset.hereOne, others.dataset.hereMany);
    for (const id of typists.keys()) if (all || !people.some((each) => each.id === id)) typists.delete(id);
    showTypists();
  };
  const showTyping = ({ id, name, active }) => {
    if (active) typists.set(id, { name: name || id, until: Date.now() + 9000 });
    else typists.delete(id);
    showTypists();
  };
  setInterval(() => {
    for (const [id, each] of typists) if (each.until < Date.now()) typists.delete(id);
    showTypists();
  }, 1000);
  const tell = (what, fields) => {
    const body = new URLSearchParams({ csrf: $("meta[name=csrf]")?.content || "", ...fields });
    navigator.sendBeacon(`${streamed}/${what}`, body);
  };
  let typedAt = 0;
  let typed = null;
  let stopped = null;
  const stopTyping = () => {
    clearTimeout(stopped);
    if (typedAt) tell("typing", { active: "0", visibility: typed });
    typedAt = 0;
  };
  if (others) {
    document.addEventListener("input", (event) => {
      if (!event.target.matches("main textarea")) return;
      const choice = event.target.form && event.target.form.elements.visibility;
      const visibility = choice ? choice.value : "internal";
      if (typedAt && visibility !== typed) stopTyping();
      typed = visibility;
      if (Date.now() - typedAt > 4000) { typedAt = Date.now(); tell("typing", { active: "1", visibility }); }
      clearTimeout(stopped);
      stopped = setTimeout(stopTyping, 5000);
    });
    document.addEventListener("submit", stopTyping);
  }
  addEventListener("pagehide", () => {
    if (!stream) return;
    stream.close();
    if (others) tell("leave", { watch });
  });
  addEventListener("pageshow", (event) => { if (event.persisted) listen(); });

  // Clocks that run: an element with data-due counts down, or up once it is late.
  const tick = () => {
    for (const element of $$("[data-due]")) {
      const seconds = Math.round((Date.parse(element.dataset.due) - Date.now()) / 1000);
      const far = Math.abs(seconds);
      const parts = [Math.floor(far / 86400), Math.floor(far / 3600) % 24, Math.floor(far / 60) % 60, far % 60];
      const text = parts[0] ? `${parts[0]} d ${parts[1]} h` : parts[1] ? `${parts[1]} h ${parts[2]} min` : `${parts[2]} min ${String(parts[3]).padStart(2, "0")} s`;
      element.textContent = (seconds < 0 ? "−" : "") + text;
      element.classList.toggle("late", seconds < 0);
      element.classList.toggle("near", seconds >= 0 && seconds < 3600);
    }
  };
  setInterval(tick, 1000);

  // Drafts: a text with data-draft survives a lost connection, a conflict or a closed tab.
  const drafts = () => {
    for (const area of $$("[data-draft]")) {
      if (area.dataset.kept) continue;
      area.dataset.kept = "1";
      const key = `draft:${area.dataset.draft}`;
      const kept = localStorage.getItem(key);
      if (kept && !area.value) area.value = kept;
      area.addEventListener("input", () => area.value ? localStorage.setItem(key, area.value) : localStorage.removeItem(key));
      if (area.form) area.form.addEventListener("submit", () => { area.form.dataset.sent = key; });
    }
  };
  document.addEventListener("htmx:afterRequest", (event) => {
    const key = event.detail.elt.dataset && event.detail.elt.dataset.sent;
    if (key && event.detail.xhr.status < 400) localStorage.removeItem(key);
  });
  if ($("[data-sent-ok]")) localStorage.removeItem(`draft:${$("[data-sent-ok]").dataset.sentOk}`);

  // Dropping files on a form.
  const drops = () => {
    for (const zone of $$(".drop")) {
      if (zone.dataset.ready) continue;
      zone.dataset.ready = "1";
      const input = $("input[type=file]", zone);
      const names = $(".names", zone);
      const show = () => { names.textContent = [...input.files].map((file) => file.name).join(", "); };
      input.addEventListener("change", show);
      ["dragenter", "dragover"].forEach((kind) => zone.addEventListener(kind, (event) => { event.preventDefault(); zone.classList.add("over"); }));
      ["dragleave", "drop"].forEach((kind) => zone.addEventListener(kind, () => zone.classList.remove("over")));
      zone.addEventListener("drop", (event) => { event.preventDefault(); input.files = event.dataTransfer.files; show(); });
    }
  };

  // Command palette: every link and button that bears data-command, and what the server finds for the words.
  const palette = $("#palette");
  if (palette) {
    const input = $("input", palette);
    const list = $("ul", palette);
    let chosen = 0;
    let asked = 0;
    const commands = () => $$("[data-command]").filter((element) => !element.closest("dialog")).map((element) => ({
      text: element.dataset.command, key: element.dataset.key || "", run: () => element.click(),
    }));
    const show = (rows) => {
      list.replaceChildren(...rows.slice(0, 30).map((row, index) => {
        const item = document.createElement("li");
        const link = document.createElement("a");
        link.href = row.href || "#";
        link.id = `palette-${index}`;
        link.setAttribute("role", "option");
        link.setAttribute("aria-selected", String(index === chosen));
        link.textContent = row.text;
        if (row.key) { const key = document.createElement("kbd"); key.textContent = row.key; link.append(key); }
        link.addEventListener("click", (event) => { if (row.run) { event.preventDefault(); palette.close(); row.run(); } });
        item.append(link);
        return item;
      }));
      input.setAttribute("aria-activedescendant", rows.length ? `palette-${chosen}` : "");
    };
    const refresh = async () => {
      const words = input.value.trim().toLowerCase();
      const fitting = commands().filter((row) => row.text.toLowerCase().includes(words));
      show(fitting);
      const turn = ++asked;
      if (words.length < 2 || !palette.dataset.find) return;
      try {
        const answer = await fetch(`${palette.dataset.find}?q=${encodeURIComponent(words)}`, { headers: { Accept: "application/json" } });
        if (answer.ok && turn === asked) show([...fitting, ...(await answer.json()).items]);
      } catch { /* offline: the commands are still there */ }
    };
    const open = () => { chosen = 0; input.value = ""; palette.showModal(); refresh(); input.focus(); };
    input.addEventListener("input", () => { chosen = 0; refresh(); });
    palette.addEventListener("keydown", (event) => {
      const links = $$("a", list);
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        chosen = Math.max(0, Math.min(links.length - 1, chosen + (event.key === "ArrowDown" ? 1 : -1)));
        links.forEach((link, index) => link.setAttribute("aria-selected", String(index === chosen)));
        if (links[chosen]) { links[chosen].scrollIntoView({ block: "nearest" }); input.setAttribute("aria-activedescendant", links[chosen].id); }
      } else if (event.key === "Enter" && links[chosen]) { event.preventDefault(); links[chosen].click(); }
    });
    $$("[data-open=palette]").forEach((button) => button.addEventListener("click", open));
    document.addEventListener("keydown", (event) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") { event.preventDefault(); open(); }
    });
  }

  // Shortcuts: whatever bears data-key is pressed by that key ("g t": one after the other). "?" shows the sheet.
  let before = "";
  // What stands in a folded menu is reached by its key all the same.
  const isReachable = (element) => element.offsetParent !== null || element.closest("details.menu") !== null;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || $("dialog[open]")) return;
    // What has the focus is pressed by these itself.
    if ((event.key === "Enter" || event.key === " ") && event.target.closest("a, button, summary, label")) return;
    const sequence = `${before} ${event.key}`.trim();
    const target = $$("[data-key]").find((element) => element.dataset.key === sequence && isReachable(element))
      || $$("[data-key]").find((element) => element.dataset.key === event.key && isReachable(element));
    before = "";
    if (target) { event.preventDefault(); if (target.matches("input, textarea, select")) target.focus(); else target.click(); return; }
    if (event.key === "?") { event.preventDefault(); sheet(); return; }
    if (event.key === "j" || event.key === "k") { move(event.key === "j" ? 1 : -1); return; }
    if (event.key.length === 1 && $$("[data-key]").some((element) => element.dataset.key.startsWith(`${event.key} `))) {
      before = event.key;
      setTimeout(() => { before = ""; }, 1200);
    }
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && event.target.closest && event.target.closest("details.menu[open]");
    if (menu) { menu.open = false; $("summary", menu).focus(); }
  });
  const move = (by) => {
    const rows = $$("[data-row] a[data-main], a[data-row]");
    const at = rows.indexOf(document.activeElement);
    const next = rows[Math.max(0, Math.min(rows.length - 1, at + by))];
    if (next) next.focus();
  };
  const sheet = () => {
    const dialog = $("#shortcuts");
    if (!dialog) return;
    const seen = new Set();
    const rows = $$("[data-key]").filter((element) => isReachable(element) && !seen.has(element.dataset.key) && seen.add(element.dataset.key));
    $("dl", dialog).replaceChildren(...rows.flatMap((element) => {
      const key = document.createElement("dt");
      const does = document.createElement("dd");
      const cap = document.createElement("kbd");
      cap.textContent = element.dataset.key;
      key.append(cap);
      does.textContent = element.dataset.command || element.getAttribute("aria-label") || element.textContent.trim();
      return [key, does];
    }));
    dialog.showModal();
  };
  $$("[data-open=shortcuts]").forEach((button) => button.addEventListener("click", sheet));
  document.addEventListener("click", (event) => {
    const closer = event.target.closest("[data-close]");
    if (closer) closer.closest("dialog").close();
    if (event.target.matches("dialog")) event.target.close();
    $$("details.menu[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
    const opener = event.target.closest("[data-dialog]");
    if (opener) { const dialog = document.getElementById(opener.dataset.dialog); if (dialog) { dialog.showModal(); const first = $("input:not([type=hidden]), textarea, select", dialog); if (first) first.focus(); } }
  });

  // Selecting many rows.
  document.addEventListener("change", (event) => {
    const all = event.target.closest("[data-select-all]");
    if (all) $$(`input[name="${all.dataset.selectAll}"]`).forEach((box) => { box.checked = all.checked; });
    if (event.target.closest("[data-submit]")) event.target.form.requestSubmit();
    count();
  });
  const count = () => $$("[data-selected]").forEach((place) => {
    place.textContent = String($$(`input[name="${place.dataset.selected}"]:checked`).length);
  });

  // A long form: leaving the page with changes that were not sent is asked about ("touched": it came with some).
  const guarded = $("form[data-guard]");
  if (guarded) {
    let changed = guarded.dataset.guard === "touched";
    guarded.addEventListener("input", () => { changed = true; });
    guarded.addEventListener("submit", () => { changed = false; });
    addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
  }

  const ready = () => { drafts(); drops(); tick(); };
  document.addEventListener("htmx:load", ready);
  ready();
  listen();
})();
