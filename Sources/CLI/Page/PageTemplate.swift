/// What stands around the data of the page. No byte of it comes from data.
enum PageTemplate {
  /// Up to the first data.
  static func head(nonce: String) -> String {
    """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; \
    script-src 'nonce-\(nonce)'; style-src 'nonce-\(nonce)'; base-uri 'none'; form-action 'none'">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="referrer" content="no-referrer">
    <meta name="color-scheme" content="light dark">
    <title>dynarc diff</title>
    <style nonce="\(nonce)">
    \(style)
    </style>
    </head>
    <body>
    \(body)

    """
  }

  /// Behind the last data.
  static func tail(nonce: String) -> String {
    """
    <script nonce="\(nonce)">
    \(script)
    </script>
    </body>
    </html>

    """
  }

  private static let body = """
    <a class="skip" href="#changes">To the changes</a>
    <header><h1>What changed</h1><p id="subtitle"></p></header>
    <p id="wait" role="status">The page is being read…</p>
    <noscript><p>This page shows its data by a script of its own; scripts are switched off.</p></noscript>
    <main id="main" hidden>
    <section aria-labelledby="h-sides">
    <h2 id="h-sides">Both sides</h2>
    <table id="sides"><thead><tr><td></td><th scope="col">Old</th><th scope="col">New</th></tr></thead>
    <tbody></tbody></table>
    <ul id="notes"></ul>
    </section>
    <section aria-labelledby="h-kinds">
    <h2 id="h-kinds">Items</h2>
    <div id="kinds" class="stack" aria-hidden="true"></div>
    <ul id="legend"></ul>
    </section>
    <section id="attributes-section" aria-labelledby="h-attributes">
    <h2 id="h-attributes">Attributes of changed items</h2>
    <p class="hint no-print">Choose one to see only the changes in it.</p>
    <ul id="attributes"></ul>
    <button type="button" id="more-attributes" class="no-print" hidden></button>
    </section>
    <section aria-labelledby="h-changes" id="changes" tabindex="-1">
    <h2 id="h-changes">Changes</h2>
    <form id="controls" role="search" class="no-print">
    <label class="grow">Search in keys and values<input id="query" type="search" autocomplete="off"
    spellcheck="false"></label>
    <label>Attribute<select id="attribute"><option value="">all</option></select></label>
    <fieldset><legend>Kinds</legend>
    <label><input type="checkbox" name="kind" value="added" checked> added</label>
    <label><input type="checkbox" name="kind" value="removed" checked> removed</label>
    <label><input type="checkbox" name="kind" value="changed" checked> changed</label>
    </fieldset>
    <label>Items a page<select id="size"><option>50</option><option>200</option><option>1000</option></select></label>
    </form>
    <div class="bar"><p id="count" role="status"></p>
    <nav class="no-print" aria-label="Pages of changes">
    <button type="button" id="first">First</button>
    <button type="button" id="previous">Previous</button>
    <button type="button" id="next">Next</button>
    <button type="button" id="last">Last</button>
    </nav></div>
    <table id="rows" role="table"><caption class="hidden">Changes</caption>
    <thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">Attribute</th>
    <th role="columnheader" scope="col">Old</th><th role="columnheader" scope="col">New</th></tr></thead>
    </table>
    </section>
    </main>
    <footer id="footer"></footer>
    """
}
