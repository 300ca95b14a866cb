extension PageTemplate {
  /// Shows the data: the summary, the charts, and so many rows of changes at a time. It writes text, never
  /// markup. A line of changes is parsed when it is looked into.
  static let script = #"""
    "use strict";
    (() => {
      const $ = (id) => document.getElementById(id);
      const facts = JSON.parse($("summary").textContent);
      const stat = facts.stat;
      const lines = [];
      for (const block of document.querySelectorAll("script.changes")) {
        for (const line of block.textContent.split("\n")) if (line) lines.push(line);
        block.remove();
      }

      const count = (number) => number.toLocaleString("en");
      const bytes = (number) => {
        const units = ["B", "kB", "MB", "GB", "TB"];
        let unit = 0;
        while (number >= 999.95 && unit < 4) { number /= 1000; unit += 1; }
        return (unit ? number.toFixed(1) : number) + " " + units[unit];
      };
      // What cannot be seen, or turns what stands around it, is shown by its number.
      const unseen = new RegExp("[\\u007f-\\u009f\\u00ad\\u061c\\u180e\\u200b\\u200e\\u200f"
        + "\\u2028-\\u202e\\u2060-\\u206f\\u3164\\ufeff\\ufff9-\\ufffb]", "g");
      const visible = (text) =>
        text.replace(unseen, (one) => "\\u" + one.charCodeAt(0).toString(16).padStart(4, "0"));
      const quote = (text) => visible(JSON.stringify(text));
      const name = (text) => /^[^\s"\\,.[\]\u0000-\u0020]+$/.test(text) ? visible(text) : quote(text);

      const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
      // A typed value as plain JSON. Numbers stay the text that they are.
      const plain = (typed) => {
        const entries = isObject(typed) ? Object.entries(typed) : [];
        if (entries.length === 1) {
          const [type, value] = entries[0];
          const list = Array.isArray(value);
          if ((type === "S" || type === "B") && typeof value === "string") return quote(value);
          if (type === "N" && typeof value === "string") return visible(value);
          if (type === "BOOL" && typeof value === "boolean") return String(value);
          if (type === "NULL" && value === true) return "null";
          if (type === "M" && isObject(value)) return item(value);
          if (type === "L" && list) return "[" + value.map(plain).join(", ") + "]";
          if ((type === "SS" || type === "BS") && list) return members(value);
          if (type === "NS" && list) return "[" + value.map((one) => visible(String(one))).join(", ") + "]";
        }
        return visible(JSON.stringify(typed));
      };
      const members = (list) => "[" + list.map(quote).join(", ") + "]";
      const item = (object) => "{"
        + Object.entries(object).map(([key, value]) => quote(key) + ": " + plain(value)).join(", ") + "}";
      const keyText = (key) =>
        Object.entries(key).map(([attribute, value]) => name(attribute) + " " + plain(value)).join(", ");

      const add = (parent, tag, text, className) => {
        const node = document.createElement(tag);
        if (text !== undefined) node.textContent = text;
        if (className) node.className = className;
        parent.append(node);
        return node;
      };

      // Summary
      const [before, now] = facts.sides;
      document.title = "Changes of " + visible(now.tableName);
      $("subtitle").textContent =
        `${visible(before.tableName)} ${before.endTime} → ${visible(now.tableName)} ${now.endTime}`;
      const sides = $("sides").tBodies[0];
      const side = (title, old, next) => {
        if (!old && !next) return;
        const row = add(sides, "tr");
        add(row, "th", title).scope = "row";
        for (const text of [old, next]) add(row, "td", text || "–");
      };
      side("Table", visible(before.tableName), visible(now.tableName));
      side("What", before.archiveId ? "archive" : "live table", now.archiveId ? "archive" : "live table");
      side("Archive id", before.archiveId, now.archiveId);
      side("ARN", visible(before.tableArn || ""), visible(now.tableArn || ""));
      side("Part", visible(before.slice || ""), visible(now.slice || ""));
      side("Read", `${before.startTime} to ${before.endTime}`, `${now.startTime} to ${now.endTime}`);
      side("Items", count(stat.old.items), count(stat.new.items));
      side("Size", bytes(stat.old.contentBytes), bytes(stat.new.contentBytes));

      const note = (text) => add($("notes"), "li", text);
      if (facts.shown < facts.total) {
        note(`This page holds the first ${count(facts.shown)} of ${count(facts.total)} changes; numbers `
          + "and charts count all of them.");
      }
      if (facts.keysOnly) note("This page holds the keys of the changed items only.");
      if (facts.ignored.length) note("Not compared: " + facts.ignored.map(visible).join(", "));
      if (facts.only.length) note("Compared only: " + facts.only.map(visible).join(", "));

      // Charts
      const kinds = [
        ["added", stat.added.items, bytes(stat.added.newBytes)],
        ["removed", stat.removed.items, bytes(stat.removed.oldBytes)],
        ["changed", stat.changed.items,
          `${bytes(stat.changed.oldBytes)} before, ${bytes(stat.changed.newBytes)} now`],
        ["same", stat.unchanged, ""],
      ];
      for (const [kind, items, size] of kinds) {
        if (items) add($("kinds"), "i", undefined, kind).style.flexGrow = items;
        const row = add($("legend"), "li");
        add(row, "i", undefined, kind);
        row.append(`${count(items)} ${kind === "same" ? "the same" : kind}${size && items ? ` (${size})` : ""}`);
      }
      const attributeRows = 12;
      const most = Math.max(1, ...stat.attributes.slice(0, 1)
        .map((one) => one.added + one.removed + one.changed));
      const showAttribute = (one) => {
        const total = one.added + one.removed + one.changed;
        const button = add(add($("attributes"), "li"), "button");
        button.type = "button";
        button.setAttribute("aria-pressed", "false");
        button.dataset.path = one.path;
        add(button, "span", visible(one.path), "name");
        const bar = add(button, "span", undefined, "stack");
        bar.setAttribute("aria-hidden", "true");
        const parts = [];
        for (const kind of ["added", "removed", "changed"]) {
          if (!one[kind]) continue;
          add(bar, "i", undefined, kind).style.flex = `0 0 ${100 * one[kind] / most}%`;
          parts.push(`${count(one[kind])} ${kind}`);
        }
        add(button, "span", parts.length > 1 ? `${count(total)} (${parts.join(", ")})` : parts[0], "count");
        button.addEventListener("click", () => {
          $("attribute").value = $("attribute").value === one.path ? "" : one.path;
          search();
        });
      };
      const chosen = stat.attributes.slice(0, 1000);
      chosen.slice(0, attributeRows).forEach(showAttribute);
      for (const one of chosen) add($("attribute"), "option", visible(one.path)).value = one.path;
      if (!chosen.length) $("attributes-section").hidden = true;
      const more = $("more-attributes");
      if (chosen.length > attributeRows) {
        more.hidden = false;
        more.textContent = `Show all ${count(chosen.length)} attributes`;
        more.addEventListener("click", () => {
          chosen.slice(attributeRows).forEach(showAttribute);
          more.hidden = true;
          mark();
        });
      }
      if (stat.attributes.length > chosen.length || stat.attributesNotListed) {
        note(`Only the ${count(chosen.length)} attributes that differ most often are listed.`);
      }

    \#(rowsScript)
    })();
    """#
}
