extension PageTemplate {
  /// Light and dark, narrow and wide, and on paper.
  static let style = """
    :root {
      color-scheme: light dark;
      --text: #1f2328; --faint: #59636e; --ground: #fff; --panel: #f6f8fa; --line: #d1d9e0;
      --added: #1a7f37; --removed: #cf222e; --changed: #9a6700; --same: #8c959f; --link: #0969da;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --text: #e6edf3; --faint: #9198a1; --ground: #0d1117; --panel: #161b22; --line: #3d444d;
        --added: #3fb950; --removed: #ff7b72; --changed: #d29922; --same: #656c76; --link: #58a6ff;
      }
    }
    * { box-sizing: border-box; }
    [hidden] { display: none !important; }
    html { scroll-padding-top: 1rem; }
    body {
      font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--ground);
      max-width: 75rem; margin: 0 auto; padding: 1rem;
    }
    h1 { font-size: 1.5rem; margin: 0; }
    h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
    p { margin: .25rem 0; }
    ul { list-style: none; padding: 0; margin: .5rem 0; }
    header p, footer, .hint { color: var(--faint); }
    footer { margin-top: 2rem; font-size: .85rem; }
    .skip { position: absolute; left: -100rem; }
    .skip:focus { left: 1rem; top: .25rem; }
    .hidden { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
    a { color: var(--link); }
    table { border-collapse: collapse; width: 100%; }
    th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; overflow-wrap: anywhere; }
    #sides { table-layout: fixed; border: 1px solid var(--line); }
    #sides tr + tr, #sides tbody tr { border-top: 1px solid var(--line); }
    #sides tr > :first-child { width: 8rem; color: var(--faint); font-weight: normal; }
    #sides thead, #rows thead { background: var(--panel); }
    #notes li { border-left: .25rem solid var(--changed); padding-left: .6rem; margin: .4rem 0; }
    .stack { display: flex; height: 1.25rem; border-radius: .25rem; overflow: hidden; }
    .stack > i { display: block; min-width: 2px; }
    .added { background: var(--added); } .removed { background: var(--removed); }
    .changed { background: var(--changed); } .same { background: var(--same); }
    #legend { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; }
    #legend i { display: inline-block; width: .8rem; height: .8rem; border-radius: .15rem;
      margin-right: .4rem; }
    #attributes button { display: grid; grid-template-columns: minmax(6rem, 14rem) 1fr 11rem;
      gap: .1rem .75rem; align-items: center; width: 100%; text-align: left; border: 0;
      background: none; padding: .2rem .25rem; font: inherit; color: inherit; }
    #attributes button:hover { background: var(--panel); }
    #attributes button[aria-pressed=true] { background: var(--panel); font-weight: bold; }
    #attributes .stack { height: .9rem; min-width: 0; }
    #attributes .count { text-align: right; font-size: .85rem; color: var(--faint); }
    .name, .value { font-family: ui-monospace, monospace; font-size: .87rem; direction: ltr;
      unicode-bidi: isolate; overflow-wrap: anywhere; white-space: pre-wrap; }
    button, input, select { font: inherit; color: inherit; }
    button, input[type=search], select { background: var(--ground); border: 1px solid var(--line);
      border-radius: .35rem; padding: .3rem .6rem; min-height: 2.25rem; }
    button { cursor: pointer; }
    button:disabled { color: var(--faint); cursor: default; }
    :focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
    #controls { display: flex; flex-wrap: wrap; gap: .75rem; align-items: end; padding: .75rem;
      background: var(--panel); border: 1px solid var(--line); border-radius: .35rem; }
    #controls > label { display: flex; flex-direction: column; font-size: .85rem; color: var(--faint); }
    #controls .grow { flex: 1 1 16rem; }
    #controls input[type=search], #controls select { width: 100%; max-width: 100%; color: var(--text); }
    #attribute { max-width: 14rem; }
    fieldset { border: 0; padding: 0; margin: 0; min-width: 0; display: flex; flex-wrap: wrap;
      gap: 0 .9rem; }
    legend { font-size: .85rem; color: var(--faint); padding: 0; }
    fieldset label { display: inline-flex; gap: .35rem; align-items: center; min-height: 2.25rem; }
    .bar { display: flex; flex-wrap: wrap; gap: .5rem; justify-content: space-between;
      align-items: center; margin: .75rem 0; }
    #rows { table-layout: fixed; border-bottom: 1px solid var(--line); }
    #rows th:first-child { width: 24%; }
    #rows tbody { border-top: 1px solid var(--line); }
    #rows tbody th { font-weight: normal; padding-top: .6rem; }
    #rows .kind { color: var(--ground); border-radius: .25rem; padding: .05rem .4rem;
      margin-right: .5rem; font-size: .8rem; white-space: nowrap; }
    #rows .name { font-weight: 600; }
    #rows .value.less { color: var(--removed); } #rows .value.more { color: var(--added); }
    .tag, .label { color: var(--faint); font-size: .8rem; }
    .label { display: none; }
    .expand { font-size: .8rem; min-height: 0; padding: 0 .4rem; margin-left: .4rem; }
    @media (max-width: 40rem) {
      body { padding: .75rem; }
      #sides tr > :first-child { width: 5.5rem; }
      #sides th, #sides td { padding: .3rem .4rem; font-size: .87rem; }
      #attributes button { grid-template-columns: 1fr auto; padding: .4rem .25rem; }
      #attributes .stack { grid-column: 1 / 3; grid-row: 2; }
      #rows, #rows tbody, #rows tr, #rows th, #rows td { display: block; width: auto !important; }
      #rows thead { display: none; }
      #rows td { padding: .15rem 0 .15rem .75rem; }
      #rows tbody th { padding: .6rem 0 .2rem; }
      #rows tbody { padding-bottom: .5rem; }
      #rows td:empty { display: none; }
      .label { display: inline; margin-right: .4rem; }
      nav { display: flex; gap: .4rem; } nav button { padding: .3rem .5rem; }
    }
    @media print {
      :root { color-scheme: light; --text: #000; --faint: #444; --ground: #fff; --panel: #f3f3f3;
        --line: #bbb; --added: #1a7f37; --removed: #cf222e; --changed: #9a6700; --same: #8c959f; }
      body { font-size: 10pt; max-width: none; padding: 0; }
      .no-print, .skip, .expand { display: none !important; }
      * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
      tr, #attributes li { break-inside: avoid; } h2 { break-after: avoid; }
      #rows thead { display: table-header-group; }
      .name, .value { font-size: 8.5pt; }
    }
    """
}
