// What pages do faster or kinder with a script. Each of them works without it: nothing here knows what a page is about.
(() => {
  "use strict";
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => root.querySelectorAll(selector);
  const tell = text => { const live = one("#live"); live.textContent = ""; requestAnimationFrame(() => live.textContent = text); };
  const parse = text => new DOMParser().parseFromString(text, "text/html");
  const files = document => [...all("script[src],link[rel=stylesheet]", document)].map(e => e.getAttribute("src") || e.getAttribute("href")).join();

  // Navigation: a link or a search of this registry replaces the content alone. Anything unusual is left to the browser.
  let going;
  async function go(address, push = true) {
    going?.abort();
    const mine = going = new AbortController();
    document.documentElement.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(address, { headers: { Accept: "text/html" }, signal: mine.signal });
      if (!answer.headers.get("Content-Type")?.startsWith("text/html")) throw 0;
      const next = parse(await answer.text());
      if (mine.signal.aborted) return;
      if (!one("main", next) || files(next) !== files(document)) throw 0;
      if (push) history.pushState(null, "", answer.redirected ? answer.url : address);
      for (const part of [".side", ".who", "main"]) one(part).replaceWith(document.importNode(one(part, next), true));
      document.title = next.title;
      if (one("html", next).dataset.theme !== document.documentElement.dataset.theme) throw 0;
      const search = one("#search");
      if (search !== document.activeElement) search.value = one("#search", next).value;
      close();
      ready();
      if (push) scrollTo(0, 0);
      const hash = new URL(address, location).hash;
      const target = hash && document.getElementById(decodeURIComponent(hash.slice(1)));
      if (target) target.scrollIntoView();
      else if (search !== document.activeElement) one("main h1")?.focus({ preventScroll: true });
      tell(document.title);
    } catch (fault) {
      if (fault?.name !== "AbortError") location.assign(address);
    } finally {
      if (going === mine) document.documentElement.removeAttribute("aria-busy");
    }
  }
  addEventListener("popstate", () => go(location.href, false));
  addEventListener("click", event => {
    const link = event.target.closest?.("a[href]");
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    if (link.origin !== location.origin || link.target || link.hasAttribute("download") || "plain" in link.dataset) return;
    if (!link.href.startsWith(document.baseURI) || (link.hash && link.pathname === location.pathname && link.search === location.search)) return;
    if (/^(swagger|api|v2|sso)\b/.test(link.href.slice(document.baseURI.length))) return;
    event.preventDefault();
    go(link.href);
  });

  // Questions before what cannot be taken back, and forms that only ask for another page.
  const query = form => form.getAttribute("action") + "?" + new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
  addEventListener("submit", event => {
    const form = event.target, button = event.submitter;
    const question = button?.dataset.confirm || form.dataset.confirm;
    if (question && !form.sure) {
      event.preventDefault();
      const dialog = one("#confirm");
      one("#confirm-what").textContent = question;
      dialog.returnValue = "";
      dialog.onclose = () => {
        if (dialog.returnValue !== "yes") return button?.focus();
        form.sure = true;
        form.requestSubmit(button);
        form.sure = false;
      };
      dialog.showModal();
    } else if (form.method === "get") {
      event.preventDefault();
      document.activeElement?.blur();
      go(new URL(query(form), document.baseURI).href);
    }
  });

  // Search as one types: the form's own page, of which the part that data-live names is shown.
  let typing, asking;
  const close = () => { const found = one("#found"); found.hidden = true; found.replaceChildren(); };
  addEventListener("input", event => {
    const form = event.target.form;
    if (!form?.dataset.live) return;
    clearTimeout(typing);
    asking?.abort();
    const isSearch = form.dataset.live === "#found";
    if (isSearch && !event.target.value.trim()) return close();
    typing = setTimeout(async () => {
      const address = new URL(query(form), document.baseURI).href;
      asking = new AbortController();
      try {
        const next = parse(await (await fetch(address, { headers: { Accept: "text/html" }, signal: asking.signal })).text());
        const part = isSearch ? one("#found-here", next) : one(form.dataset.live, next), place = one(form.dataset.live);
        if (isSearch) {
          place.replaceChildren(...(part ? document.importNode(part, true).childNodes : [Object.assign(document.createElement("p"), { textContent: "No repository has that in its name." })]));
          place.hidden = false;
        } else if (part) {
          place.replaceWith(document.importNode(part, true));
          history.replaceState(null, "", address);
        }
        tell(one("main [role=status]", next)?.textContent || "Nothing found");
        ready();
      } catch (fault) { if (fault.name !== "AbortError") throw fault; }
    }, 150);
  });
  addEventListener("keydown", event => {
    if (event.key === "Escape" && !one("#found").hidden) { close(); one("#search").focus(); }
    else if (event.key === "/" && !event.target.closest("input,textarea,select") && !event.ctrlKey && !event.metaKey) { event.preventDefault(); one("#search").focus(); }
  });
  addEventListener("focusin", event => { if (!event.target.closest(".search")) close(); });
  addEventListener("pointerdown", event => { if (!event.target.closest(".search")) close(); });

  // Copying. Without TLS browsers have no clipboard for pages, but still copy what is selected.
  addEventListener("click", async event => {
    const button = event.target.closest?.("[data-copy]");
    if (!button) return;
    const code = button.previousElementSibling;
    let done = true;
    if (navigator.clipboard) await navigator.clipboard.writeText(code.textContent);
    else {
      getSelection().selectAllChildren(code);
      done = document.execCommand("copy");
      getSelection().removeAllRanges();
      button.focus();
    }
    const use = one("use", button), icon = use.getAttribute("href");
    if (!done || button.classList.contains("copied")) return;
    use.setAttribute("href", icon.replace(/#.*/, "#check"));
    button.classList.add("copied");
    tell("Copied");
    setTimeout(() => { use.setAttribute("href", icon); button.classList.remove("copied"); }, 1500);
  });
  const ready = () => { all("[data-copy]").forEach(button => button.hidden = false); wait(); };

  // A page that waits for something asks for itself again, and is shown whole once it waits no more.
  let waiting;
  const wait = () => {
    clearTimeout(waiting);
    const part = one("main [data-again]"), address = location.href;
    if (part) waiting = setTimeout(async () => {
      if (document.hidden) return wait();
      try {
        const next = parse(await (await fetch(address, { headers: { Accept: "text/html" } })).text()), more = one("main [data-again]", next);
        if (location.href !== address || !part.isConnected) return;
        if (!more) return go(address, false);
        if (!part.contains(document.activeElement)) part.replaceWith(document.importNode(more, true));
      } catch (fault) { if (!(fault instanceof TypeError)) throw fault; }
      wait();
    }, 1500);
  };

  // Streamed parts: sent behind the page, each for its place between two comments.
  const place = (id, content) => {
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_COMMENT);
    while (walk.nextNode()) {
      const start = walk.currentNode;
      if (start.data !== "bl:" + id) continue;
      while (start.nextSibling && start.nextSibling.data !== "/bl:" + id) start.nextSibling.remove();
      start.after(content);
      return ready();
    }
  };
  customElements.define("blazor-ssr-end", class extends HTMLElement {
    connectedCallback() {
      const parts = this.parentNode;
      parts.remove();
      for (const part of all("template", parts)) place(part.getAttribute("blazor-component-id"), part.content);
    }
  });

  ready();
})();
