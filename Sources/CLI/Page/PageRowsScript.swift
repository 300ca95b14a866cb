extension PageTemplate {
  /// The part of the script that finds and shows changes.
  static let rowsScript = #"""
      // Changes
      let found = [];
      let page = 0;
      let run = 0;
      const size = () => Number($("size").value);
      const mark = () => {
        for (const button of document.querySelectorAll("#attributes button")) {
          button.setAttribute("aria-pressed", String(button.dataset.path === $("attribute").value));
        }
      };

      const hasAttribute = (change, path) => (change.attributes || []).some((one) =>
        one.path === path || one.path.startsWith(path + ".") || one.path.startsWith(path + "["));
      const hasText = (change, text) => {
        const holds = (value) => value.toLowerCase().includes(text);
        if (holds(keyText(change.key))) return true;
        if (change.old && holds(item(change.old)) || change.new && holds(item(change.new))) return true;
        return (change.attributes || []).some((one) => holds(visible(one.path))
          || one.old && holds(plain(one.old)) || one.new && holds(plain(one.new)));
      };
      // A line that has the text nowhere need not be parsed, where the text looks the same in it.
      const isSpelled = (text) => !/["\\,:{}[\]<]/.test(text);
      const isPlainLine = (line) => !line.includes("\\") && line.search(unseen) < 0;

      const matcher = () => {
        const text = $("query").value.trim().toLowerCase();
        const path = $("attribute").value;
        const wanted = new Set(Array.from(
          document.querySelectorAll("[name=kind]:checked"), (box) => box.value));
        const prefixes = ["added", "removed", "changed"].filter((kind) => !wanted.has(kind))
          .map((kind) => `{"change":"${kind}"`);
        const simple = isSpelled(text);
        if (!text && !path && !prefixes.length) return null;
        return (line) => {
          if (prefixes.some((prefix) => line.startsWith(prefix))) return false;
          if (path && line.startsWith('{"change":"') && !line.startsWith('{"change":"changed"')) return false;
          if (text && simple && isPlainLine(line) && !line.toLowerCase().includes(text)) return false;
          if (!text && !path) return true;
          const change = JSON.parse(line);
          return (!path || hasAttribute(change, path)) && (!text || hasText(change, text));
        };
      };

      // Goes through the lines in short steps, so that typing is never held up.
      const search = () => {
        const mine = ++run;
        const matches = matcher();
        mark();
        page = 0;
        found = [];
        let at = 0;
        let isShown = false;
        $("rows").setAttribute("aria-busy", "true");
        const step = () => {
          if (mine !== run) return;
          const until = performance.now() + 30;
          while (at < lines.length && performance.now() < until) {
            for (const end = Math.min(at + 64, lines.length); at < end; at += 1) {
              if (!matches || matches(lines[at])) found.push(at);
            }
          }
          const isDone = at === lines.length;
          if (isDone || !isShown && found.length >= size()) {
            show();
            isShown = true;
          }
          told(isDone ? undefined : at);
          if (isDone) $("rows").setAttribute("aria-busy", "false"); else setTimeout(step);
        };
        step();
      };

      const told = (at) => {
        const last = Math.min((page + 1) * size(), found.length);
        const range = found.length ? `${count(page * size() + 1)}–${count(last)} of ` : "";
        const all = found.length < lines.length ? `, of ${count(lines.length)}` : "";
        const text = at === undefined
          ? `${range}${count(found.length)} change${found.length === 1 ? "" : "s"}${all}`
          : `searching, ${count(found.length)} found in ${count(at)} of ${count(lines.length)}`;
        if ($("count").textContent !== text) $("count").textContent = text;
        const end = Math.max(0, Math.ceil(found.length / size()) - 1);
        $("first").disabled = $("previous").disabled = page === 0;
        $("next").disabled = $("last").disabled = page >= end;
      };

      const cutAt = 240;
      const rowsAtOnce = 50;
      const value = (cell, text, className) => {
        const node = add(cell, "span", undefined, "value" + (className ? " " + className : ""));
        if (text.length <= cutAt) { node.textContent = text; return; }
        const short = Array.from(text.slice(0, cutAt)).slice(0, -1).join("") + "…";
        node.textContent = short;
        const button = add(cell, "button", `all ${count(text.length)} characters`, "expand");
        button.type = "button";
        button.setAttribute("aria-expanded", "false");
        button.addEventListener("click", () => {
          const isOpen = button.getAttribute("aria-expanded") === "true";
          node.textContent = isOpen ? short : text;
          button.textContent = isOpen ? `all ${count(text.length)} characters` : "less";
          button.setAttribute("aria-expanded", String(!isOpen));
        });
      };
      const row = (group, className) => {
        const node = add(group, "tr", undefined, className);
        node.setAttribute("role", "row");
        return node;
      };
      const cell = (parent, label) => {
        const node = add(parent, "td");
        node.setAttribute("role", "cell");
        if (label) add(node, "span", label, "label");
        return node;
      };
      const type = (typed) => isObject(typed) ? Object.keys(typed)[0] || "" : "";
      const attributeRow = (group, one) => {
        const parent = row(group);
        add(cell(parent), "span", visible(one.path), "name");
        const isTyped = one.old && one.new && type(one.old) !== type(one.new);
        const parts = one.removedMembers || one.addedMembers
          ? [["less", one.removedMembers, "−"], ["more", one.addedMembers, "+"]] : null;
        for (const [index, side] of [one.old, one.new].entries()) {
          const target = cell(parent, side ? (index ? "new" : "old") : undefined);
          if (!side) continue;
          if (parts) {
            const [className, list, sign] = parts[index];
            if (list.length) value(target, list.map((text) => `${sign} ${quote(text)}`).join("  "), className);
            else add(target, "span", "nothing " + (index ? "added" : "removed"), "tag");
          } else {
            if (isTyped) add(target, "span", visible(type(side)) + " ", "tag");
            value(target, plain(side), index ? "more" : "less");
          }
        }
      };
      const changeGroup = (change) => {
        const group = document.createElement("tbody");
        group.setAttribute("role", "rowgroup");
        const head = add(row(group), "th");
        head.setAttribute("role", "rowheader");
        head.colSpan = 3;
        const signs = { added: "+ added", removed: "− removed", changed: "~ changed" };
        add(head, "span", signs[change.change], "kind " + change.change);
        value(head, keyText(change.key));
        const whole = change.change === "changed" ? null : change.new || change.old;
        if (whole) {
          const parent = row(group);
          add(cell(parent), "span", "the item", "tag");
          const target = cell(parent);
          target.colSpan = 2;
          value(target, item(whole), change.new ? "more" : "less");
        }
        const attributes = change.attributes || [];
        for (const one of attributes.slice(0, rowsAtOnce)) attributeRow(group, one);
        if (attributes.length > rowsAtOnce) {
          const rest = row(group, "no-print");
          const button = add(cell(rest), "button", `${count(attributes.length - rowsAtOnce)} more`, "expand");
          button.type = "button";
          button.addEventListener("click", () => {
            rest.remove();
            for (const one of attributes.slice(rowsAtOnce)) attributeRow(group, one);
          });
        }
        return group;
      };
      const show = () => {
        const table = $("rows");
        for (const body of Array.from(table.tBodies)) body.remove();
        const shown = found.slice(page * size(), (page + 1) * size());
        table.append(...shown.map((index) => changeGroup(JSON.parse(lines[index]))));
        table.hidden = !shown.length;
      };
      const turn = (to) => {
        page = Math.max(0, Math.min(to, Math.ceil(found.length / size()) - 1));
        show();
        told();
        $("changes").scrollIntoView();
      };
      $("first").addEventListener("click", () => turn(0));
      $("previous").addEventListener("click", () => turn(page - 1));
      $("next").addEventListener("click", () => turn(page + 1));
      $("last").addEventListener("click", () => turn(Infinity));
      let pause;
      $("query").addEventListener("input", () => {
        clearTimeout(pause);
        pause = setTimeout(search, 120);
      });
      $("controls").addEventListener("change", (event) => { if (event.target !== $("query")) search(); });
      $("controls").addEventListener("submit", (event) => { event.preventDefault(); search(); });

      $("footer").textContent = `Written by dynarc ${facts.version}. `
        + "The order of attributes and sets and the spelling of numbers count as no change.";
      $("wait").remove();
      $("main").hidden = false;
      search();
    """#
}
