"""diff --html: the page in a real browser, typed and clicked at, with data that means harm."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import time
from pathlib import Path
from typing import Callable, Iterable

import pytest

import archives
import tables
from browser import Browser, program
from program import Result, Side, run_dynarc

pytestmark = pytest.mark.alone

Dynarc = Callable[..., Result]
needs_browser = pytest.mark.skipif(
    program() is None and not os.environ.get("CI"), reason="there is no chromium; scripts/setup installs it"
)

HOSTILE = [
    "</script><script>window.hurt=1</script>",
    "<img src=x onerror=window.hurt=1>",
    "<!--<script>",
    "\u2028window.hurt=1\u2029",
    "\u202egnp.exe\u202c",
    "\u0000\u0007\u001b[31m\u007f\u0085",
    "\"'`${window.hurt=1}\\",
    "]]>&lt;b&gt;&amp;",
    "\ufeff\ufffe",
]
NAMES = ["</script>", "<img src=x onerror=hurt()>", "__proto__", "constructor", "a.b[0]", "\u202edrow", " ", '"']


class Pair:
    """Two archives that differ by everything the page shows."""

    def __init__(self, side: Side, directory: Path, binary: Path) -> None:
        self.directory, self.binary, self.home = directory, binary, directory / "home"
        self.home.mkdir()
        old, new = [], []
        for number in range(300):
            key = {"pk": {"S": f"customer-{number % 9}"}, "sk": {"S": f"order-{number:03d}"}}
            item = key | {
                "total": {"N": f"{number}.90"}, "state": {"S": "open"}, "tags": {"SS": ["web", "shop"]},
                "address": {"M": {"city": {"S": "Zürich"}, "lines": {"L": [{"S": "Sihlquai 1"}]}}},
            }  # fmt: skip
            if number % 10 != 3:
                old.append(item)
            match number % 10:
                case 1:
                    new.append(item | {"total": {"N": "12345678901234567890.123456789"}, "state": {"S": "paid"}})
                case 2:
                    new.append(item | {"tags": {"SS": ["web", "app"]}, "note": {"S": "lang " * 400}})
                case 4:
                    city = {"city": {"S": "Genève"}, "lines": {"L": [{"S": "Sihlquai 2"}, {"BOOL": True}]}}
                    new.append(item | {"address": {"M": city}})
                case 5:
                    pass
                case _:
                    new.append(item)
        for number, text in enumerate(HOSTILE):
            key = {"pk": {"S": f"hostile-{text}"}, "sk": {"S": str(number)}}
            old.append(key | {"value": {"S": "tame"}})
            new.append(key | {"value": {"S": text}, NAMES[number % len(NAMES)]: {"S": text}})
        for name, rows in (("Page-old", old), ("Page-new", new)):
            tables.create(side.client, name)
            tables.put_all(side.client, name, rows)
            self.run("dump", name, name, "--segments", 1, at=side)

    def run(self, *arguments: object, **options: object) -> Result:
        return run_dynarc(self.binary, self.directory, self.home, *arguments, **options)

    def page(self, name: str, *options: object) -> Path:
        path = self.directory / name
        self.run("diff", "./Page-old", "./Page-new", "--html", path, *options, exit=1)
        return path


@pytest.fixture(scope="module")
def pair(source: Side, tmp_path_factory: pytest.TempPathFactory, binary: Path) -> Pair:
    return Pair(source, tmp_path_factory.mktemp("page"), binary)


@pytest.fixture(scope="module")
def page(pair: Pair) -> Path:
    return pair.page("page.html")


@pytest.fixture
def browser(tmp_path: Path) -> Iterable[Browser]:
    with Browser(tmp_path / "profile") as browser:
        browser.size(1200, 900)
        yield browser


def counted(browser: Browser) -> str:
    browser.wait("document.querySelector('#rows').getAttribute('aria-busy') === 'false'")
    return browser.js("document.querySelector('#count').textContent")


def searched(browser: Browser, text: str, expected: str) -> None:
    browser.js("document.querySelector('#query').value = ''")
    browser.click("#query")
    browser.type(text)
    browser.wait(f"document.querySelector('#count').textContent === {json.dumps(expected)}")


def is_unhurt(browser: Browser) -> bool:
    hurt = browser.js("typeof window.hurt !== 'undefined' || document.querySelectorAll('img, #rows script').length")
    return not hurt and not browser.requests() and not browser.complaints() and not browser.dialogs()


@needs_browser
def test_search_and_filters(page: Path, browser: Browser) -> None:
    browser.open(page)
    # 30 each of four kinds of change and of 5 added or removed, and the hostile ones.
    total = 30 * 5 + len(HOSTILE)
    assert counted(browser) == f"1–50 of {total} changes"
    assert browser.js("document.querySelectorAll('#rows tbody').length") == 50
    searched(browser, "GENÈVE", f"1–30 of 30 changes, of {total}")
    assert "Zürich" in browser.js("document.querySelector('#rows').textContent")
    searched(browser, "order-121", f"1–1 of 1 change, of {total}")
    text = browser.js("document.querySelector('#rows').innerText")
    assert "121.9\t" in text and "12345678901234567890.123456789" in text and '"paid"' in text
    searched(browser, '"app"', f"1–30 of 30 changes, of {total}")
    searched(browser, "onerror", f"1–1 of 1 change, of {total}")
    searched(browser, "nothing has this", f"0 changes, of {total}")
    searched(browser, " ", f"1–50 of {total} changes")
    browser.click("input[value=changed]")
    assert counted(browser) == f"1–50 of 60 changes, of {total}"
    browser.click("input[value=added]")
    assert counted(browser) == f"1–30 of 30 changes, of {total}"
    browser.click("input[value=changed]")
    browser.click("input[value=added]")
    browser.click('#attributes button[data-path="address"]')
    assert counted(browser) == f"1–30 of 30 changes, of {total}"
    paths = browser.js("[...new Set([...document.querySelectorAll('td .name')].map(e => e.textContent))]")
    assert paths == ["address.city", "address.lines[0]", "address.lines[1]"]
    assert is_unhurt(browser)


@needs_browser
def test_pages_and_long_values_by_keyboard(page: Path, browser: Browser) -> None:
    browser.open(page)
    counted(browser)
    keys = "[...document.querySelectorAll('#rows tbody')].map(e => e.querySelector('th').textContent)"
    seen = browser.js(keys)
    browser.js("document.querySelector('#next').focus()")
    while not browser.js("document.querySelector('#next').disabled"):
        browser.press("Enter", 13)
        seen += browser.js(keys)
    assert len(seen) == len(set(seen)) == 30 * 5 + len(HOSTILE)
    searched(browser, "order-002", f"1–1 of 1 change, of {len(seen)}")
    long = "document.querySelector('td:last-child .value.more').textContent.length"
    assert browser.js(long) < 300
    browser.js("document.querySelector('.expand').focus()")
    browser.press("Enter", 13)
    assert browser.js(long) == len("lang " * 400) + 2
    tabbed = set()
    browser.js("document.activeElement.blur()")
    for _ in range(12):
        browser.press("Tab", 9)
        tabbed.add(browser.js("document.activeElement.id || document.activeElement.name"))
    assert browser.js("[...document.querySelectorAll('input, select')].every(e => e.labels.length === 1)")
    assert is_unhurt(browser)


@needs_browser
def test_hostile_values_are_text(page: Path, browser: Browser) -> None:
    browser.open(page)
    searched(browser, "hostile-", f"1–{len(HOSTILE)} of {len(HOSTILE)} changes, of {150 + len(HOSTILE)}")
    shown = browser.js("document.querySelector('#rows').textContent")
    for text in HOSTILE[:3] + HOSTILE[7:8]:
        assert json.dumps(text) in shown
    assert r"\u202egnp.exe\u202c" in shown and r"\u2028window" in shown and r"\u001b[31m\u007f\u0085" in shown
    assert not re.search("[\u0000-\u0009\u007f-\u009f\u2028-\u202e\ufeff]", shown)
    assert all(text in shown for text in ("__proto__", "constructor", "<img src=x onerror=hurt()>"))
    browser.js("for (const e of document.querySelectorAll('.expand')) e.click()")
    time.sleep(0.3)
    assert is_unhurt(browser)


@needs_browser
def test_no_request_leaves_the_page(page: Path, browser: Browser, tmp_path: Path) -> None:
    """The policy holds: what is put into the page afterwards cannot fetch or run anything."""
    content = page.read_text()
    assert "http://" not in content and "https://" not in content.replace("https://\"", "")
    browser.open(page)
    counted(browser)
    browser.js("document.body.insertAdjacentHTML('beforeend', '<img src=\"http://127.0.0.1:9/x\">')")
    browser.js("fetch('http://127.0.0.1:9/y').catch(() => { window.refused = true; }); 0")
    browser.wait("window.refused === true")
    policy = [one for one in browser.complaints() if "Content Security Policy" in json.dumps(one)]
    assert len(policy) >= 2


@needs_browser
@pytest.mark.parametrize("width,dark", [(1200, False), (1200, True), (360, False), (360, True)])
def test_it_fits_the_screen(page: Path, browser: Browser, tmp_path: Path, width: int, dark: bool) -> None:
    browser.size(width, 740 if width == 360 else 900, dark=dark)
    browser.open(page)
    counted(browser)
    assert browser.js("document.documentElement.scrollWidth") <= width
    low = browser.js(CONTRAST)
    assert low == [], low
    pictures = Path(os.environ.get("DYNARC_PICTURES", tmp_path))
    browser.picture(pictures / f"page-{width}{'-dark' if dark else ''}.png", whole=True)
    if width == 1200 and not dark:
        browser.pdf(pictures / "page.pdf")
        assert (pictures / "page.pdf").read_bytes().startswith(b"%PDF")


# Texts whose contrast is below 4.5 to 1 (WCAG 2, AA).
CONTRAST = """(() => {
  const parts = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (text) => parts(text).slice(0, 3).map((one) => one / 255)
    .map((one) => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)
    .reduce((sum, one, index) => sum + one * [0.2126, 0.7152, 0.0722][index], 0);
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (parts(colour)[3] !== 0) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const low = new Set();
  for (const node of document.querySelectorAll('main *, header *, footer')) {
    const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
    if (!own || node.disabled || !node.checkVisibility()) continue;
    const [one, other] = [light(getComputedStyle(node).color), light(ground(node))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < 4.5) low.add(node.tagName + '.' + node.className + ' ' + ratio.toFixed(2));
  }
  return [...low];
})()"""


@needs_browser
def test_limit_and_keys(pair: Pair, browser: Browser) -> None:
    page = pair.page("limited.html", "--limit", 7)
    browser.open(page)
    assert counted(browser) == "1–7 of 7 changes"
    assert "holds the first 7 of 159 changes" in browser.js("document.querySelector('#notes').textContent")
    assert "30 added" in browser.js("document.querySelector('#legend').innerText")
    browser.open(pair.page("keys.html", "--keys"))
    assert counted(browser) == "1–50 of 159 changes"
    content = (pair.directory / "keys.html").read_text()
    assert "Sihlquai" not in content and "order-001" in content
    assert is_unhurt(browser)


def test_the_file(pair: Pair, page: Path) -> None:
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert not list(pair.directory.glob(".*.tmp"))
    before = page.read_bytes()
    result = pair.run("diff", "./Page-old", "./Page-new", "--html", page, exit=2)
    assert "exists already" in result.stderr and page.read_bytes() == before
    assert "nowhere" in pair.run("diff", "./Page-old", "./Page-new", "--html", "nowhere/x.html", exit=2).stderr
    # Nothing is left of a page that could not be finished.
    chunk = archives.chunk_files(pair.directory / "Page-new")[0]
    sound = chunk.read_bytes()
    chunk.write_bytes(sound[:-1] + b"x")
    pair.run("diff", "./Page-old", "./Page-new", "--html", "broken.html", exit=2)
    chunk.write_bytes(sound)
    assert not list(pair.directory.glob("*broken*")) and not list(pair.directory.glob(".*broken*"))
    # A page of nothing is one, too; and it goes with the other outputs.
    same = pair.run("diff", "./Page-old", "./Page-old", "--html", "same.html", exit=0)
    assert same.stdout == b"" and (pair.directory / "same.html").exists()
    both = pair.run("diff", "./Page-old", "./Page-new", "--html", "both.html", "--json", "--output", "c", exit=1)
    assert len(both.stdout.splitlines()) == 159 and (pair.directory / "c" / "SHA256SUMS").exists()


@needs_browser
def test_a_hundred_thousand_changes(browser: Browser, dynarc: Dynarc, tmp_path: Path, pair: Pair) -> None:
    """Opens, and is searched, in a few seconds."""
    for name in ("Page-old", "Page-new"):
        shutil.copytree(pair.directory / name, tmp_path / name)

    def lines(state: str) -> Callable[[list[bytes]], list[bytes]]:
        return lambda _: [
            b'{"Item":{"pk":{"S":"c%d"},"sk":{"S":"%06d"},"state":{"S":"%s"},"note":{"S":"%s"}}}\n'
            % (number % 97, number, state.encode(), b"some words of text " * 20)
            for number in range(120_000)
        ]

    archives.edit_lines(tmp_path / "Page-old", lines("open"))
    archives.edit_lines(tmp_path / "Page-new", lines("paid \u00e9"))
    result = dynarc("diff", "./Page-old", "./Page-new", "--html", "large.html", exit=1)
    assert "20,000 more changes" in result.stderr
    start = time.monotonic()
    browser.open(tmp_path / "large.html")
    assert counted(browser) == "1–50 of 100,000 changes"
    opened = time.monotonic() - start
    start = time.monotonic()
    searched(browser, "000000", "1–1 of 1 change, of 100,000")
    found = time.monotonic() - start
    browser.click('#attributes button[data-path="state"]')
    assert counted(browser) == "1–1 of 1 change, of 100,000"
    print(f"opened in {opened:.2f} s, searched in {found:.2f} s, size {(tmp_path / 'large.html').stat().st_size}")
    assert opened < 20 and found < 20
