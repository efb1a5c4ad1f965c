"""How the page looks, in light and in dark."""

STYLE = """\
:root {
  --paper: #fcfcfb; --ink: #1d1d1b; --soft: #5f5f5a; --rule: #e2e1dc; --good: #1a7f37; --bad: #b3261e;
  --c0: #2563c9; --c1: #8a8983; --c2: #b98900; --c3: #c2410c; --c4: #0f7f6d; --c5: #7aa5ee;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #191918; --ink: #ecebe6; --soft: #a9a8a1; --rule: #353532; --good: #5fc97a; --bad: #ff8a80;
    --c0: #6ea1ff; --c1: #8f8e88; --c2: #dcb13c; --c3: #f08a55; --c4: #45c2ac; --c5: #3f64a8;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1360px; margin: 0 auto; padding: 32px 20px 64px; display: grid; gap: 32px;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 560px), 1fr)); }
h1, h1 ~ p, main > h1, main > p, main > dl, main > section, main > h2, main > ul { grid-column: 1 / -1; }
h1 { margin: 0; font-size: 30px; }
main > p { margin: -20px 0 -8px; max-width: 80ch; }
main > .warning { margin: 0; padding: 10px 14px; max-width: none; border: 2px solid var(--bad); border-radius: 8px; }
h2 { margin: 0 0 8px; font-size: 17px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 16px; margin: 0; }
dt { color: var(--soft); }
dd { margin: 0; }
figure { margin: 0; padding: 16px; border: 1px solid var(--rule); border-radius: 8px; }
figcaption, .note { color: var(--soft); font-size: 14px; margin: 8px 0 0; }
svg { width: 100%; height: auto; display: block; font: 12px system-ui, sans-serif; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 15px; }
th, td { text-align: left; padding: 6px 10px; border-bottom: 1px solid var(--rule); vertical-align: top; }
th { color: var(--soft); font-weight: 600; font-size: 13px; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.good { color: var(--good); white-space: nowrap; }
td.bad { color: var(--bad); white-space: nowrap; }
code { font: 13px ui-monospace, monospace; }
.grid { stroke: var(--rule); }
.mark { stroke: var(--ink); stroke-dasharray: 4 3; }
.spread { stroke: var(--ink); stroke-width: 2; }
.line { fill: none; stroke-width: 2; }
.tick, .value { fill: var(--soft); }
.value { fill: var(--ink); font-variant-numeric: tabular-nums; }
.axis { fill: var(--soft); font-style: italic; }
"""
