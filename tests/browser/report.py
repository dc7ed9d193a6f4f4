"""Drives the report in headless Chromium, as a reader would: python report.py TALKMETER WORKDIR [AXE]

Needs selenium, pymupdf, and Debian's chromium and chromium-driver; AXE is the file axe.min.js of axe-core. Makes a report of the
example calls, then sorts, opens, jumps, filters, zooms, plays, goes back in by the address, narrows the window, prints. Fails on any
request to a host, any message in the console, anything that scrolls the page sideways or is cut off on paper, and whatever axe-core
finds. Leaves pictures in WORKDIR.
"""

import base64
import json
import pathlib
import subprocess
import sys
import wave

import pymupdf

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.common.print_page_options import PrintOptions
from selenium.webdriver.support.ui import Select, WebDriverWait

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples/calls"


def make(talkmeter, work):
    out = work / "out"
    subprocess.run(
        [talkmeter, "analyze", EXAMPLES, "-o", out, "--meta", EXAMPLES / "calls-meta.csv", "--group-by", "agent", "--role",
         "ch0=agent,ch1=customer", "--keyword", "refund", "--keyword", "退款", "--tables", "csv", "--rules",
         ROOT / "examples/rules/support.toml", "-q"],
        check=True, stdout=subprocess.DEVNULL,
    )
    return (out / "report.html").as_uri()


def start(work):
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
                 "--disable-background-networking", "--disable-component-update", "--force-prefers-reduced-motion", f"--user-data-dir={work}/profile"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(executable_path="/usr/bin/chromedriver")
    return webdriver.Chrome(options=options, service=service)


def make_many(talkmeter, work):
    """2,000 short calls with two columns, which the page can neither list nor show one by one."""
    calls = work / "calls"
    calls.mkdir(exist_ok=True)
    rows = ["file,agent,queue"]
    for at in range(2000):
        gap = 400 + at * 37 % 7000
        said = lambda begin, text: {"begin_time": begin, "end_time": begin + 3000, "text": text}
        tracks = [[said(0, "good morning how can I help you"), said(9000 + gap, "of course")], [said(3000 + gap, "it is about my order")]]
        result = {"transcripts": [{"channel_id": channel, "sentences": track} for channel, track in enumerate(tracks)]}
        (calls / f"call-{at:04}.json").write_text(json.dumps(result))
        rows.append(f"call-{at:04}.json,agent {at % 40},{'ab'[at % 2]}")
    (work / "many.csv").write_text("\n".join(rows))
    subprocess.run([talkmeter, "analyze", calls, "-o", work / "many", "--meta", work / "many.csv", "--group-by", "agent", "--only", "report", "-q"],
                   check=True, stdout=subprocess.DEVNULL)
    return (work / "many/report.html").as_uri()


class Reader:
    def __init__(self, browser, talkmeter, work, address, axe):
        self.browser, self.talkmeter, self.work, self.address, self.axe = browser, talkmeter, work, address, axe

    def open(self, fragment=""):
        self.browser.get("about:blank")
        self.browser.get(self.address + fragment)

    def all(self, css):
        return self.browser.find_elements(By.CSS_SELECTOR, css)

    def one(self, css):
        return self.browser.find_element(By.CSS_SELECTOR, css)

    def run(self, script, *arguments):
        return self.browser.execute_script(script, *arguments)

    def until(self, what, holds):
        WebDriverWait(self.browser, 5).until(lambda _: holds(), what)

    def in_view(self, css):
        return self.run(
            "const box = document.querySelector(arguments[0]).getBoundingClientRect();"
            "return box.top >= -1 && box.top < innerHeight && box.height > 0;", css)

    def picture(self, name):
        self.browser.save_screenshot(str(self.work / f"{name}.png"))

    def fits(self):
        wide = self.run("return document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"the page is {wide} px too wide"

    def column(self, metric):
        return self.run(
            "const table = document.querySelector('#list');"
            "const at = [...table.tHead.rows[0].cells].findIndex((head) => head.dataset.metric === arguments[0]);"
            "return [...table.tBodies[0].rows].map((row) => row.cells[at].dataset.v)", metric)


def sorts(reader):
    reader.open()
    numbers = lambda metric: [float(value) for value in reader.column(metric) if value != ""]
    assert numbers("dead_air_ms") == sorted(numbers("dead_air_ms"), reverse=True)
    button = reader.one("#list th[data-metric=units_per_min] button")
    button.click()
    assert numbers("units_per_min") == sorted(numbers("units_per_min"), reverse=True)
    assert reader.one("#list th[data-metric=units_per_min]").get_attribute("aria-sort") == "descending"
    button.send_keys(Keys.ENTER)
    assert numbers("units_per_min") == sorted(numbers("units_per_min")), "the keyboard sorts, too"
    assert "sort=units_per_min" in reader.browser.current_url and "order=up" in reader.browser.current_url
    overlap = reader.one("#list th[data-metric=overlap_ratio] button")
    for _ in range(2):
        overlap.click()
        assert reader.column("overlap_ratio")[-1] == "", "what could not be measured stands last"


def opens(reader):
    reader.open()
    row = reader.one("#list tbody a")
    name = row.text
    row.click()
    call = next(call for call in reader.all(".call") if name in call.find_element(By.TAG_NAME, "h3").text)
    reader.until("the call opens", lambda: call.find_element(By.CSS_SELECTOR, ".said li").is_displayed())
    reader.until("and comes into view", lambda: reader.in_view(f"#{call.get_attribute('id')}"))
    reader.picture("desktop-call")


def jumps(reader):
    reader.open("#c1")
    # From a hit of a keyword to its words in the transcript.
    hit = reader.all("#c1 .evidence .times")[-1].find_element(By.TAG_NAME, "a")
    target = hit.get_attribute("href").split("#")[1]
    reader.run("arguments[0].scrollIntoView()", hit)
    hit.click()
    reader.until("the hit is in view", lambda: reader.in_view(f"#{target}"))
    assert reader.one(f"#{target}").tag_name == "mark"
    assert "refund" in reader.one(f"#{target}").text.lower()
    # From a badge to the evidence of the event, which opens.
    badge = reader.one("#c1 .badge")
    event = badge.get_attribute("href").split("#")[1]
    reader.run("arguments[0].scrollIntoView({block: 'center'})", badge)
    badge.click()
    reader.until("the evidence opens", lambda: reader.one(f"#{event} .words").is_displayed())
    # And back.
    back = reader.one(f"#{event} p a")
    line = back.get_attribute("href").split("#")[1]
    reader.run("arguments[0].scrollIntoView({block: 'center'})", back)
    back.click()
    reader.until("the line is lit", lambda: "lit" in reader.one(f"#{line}").get_attribute("class"))
    # From a lane to what was said then: the middle of the second segment, of at most a minute.
    segment = reader.all("#c1 .seg")[1]
    reader.run("arguments[0].scrollIntoView({block: 'center'})", segment)
    webdriver.ActionChains(reader.browser).move_to_element(segment.find_element(By.TAG_NAME, "svg")).click().perform()
    reader.until("a line is lit", lambda: reader.all("#c1 .said li.lit"))
    begin = int(reader.one("#c1 .said li.lit").get_attribute("data-ms"))
    assert begin <= 60_000 + 31_000, begin
    # A dot goes to its call's row.
    dot = reader.one(".strip a")
    reader.run("arguments[0].dispatchEvent(new MouseEvent('click', {bubbles: true}))", dot)
    reader.until("its row is lit", lambda: reader.all("#list tr.lit"))


def filters(reader):
    reader.open()
    reader.one("#find-calls").send_keys("owen")
    shown = [row for row in reader.all("#list tbody tr") if row.is_displayed()]
    assert len(shown) == 2 and all("Owen" in row.text for row in shown), "the columns of one's own are searched"
    assert reader.one("#found-calls").text == "2 of 6"
    Select(reader.one("#find-kind")).select_by_value("k-interruption")
    lines = reader.run("return document.querySelectorAll('.said li:not([hidden])').length")
    assert lines == 3, lines
    Select(reader.one("#find-who")).select_by_value("customer")
    address = reader.browser.current_url
    lines = reader.run("return [...document.querySelectorAll('.said li:not([hidden]) > b')].map((b) => b.textContent)")
    assert lines and set(lines) == {"customer"}, lines
    # The address brings the same view back.
    reader.browser.get("about:blank")
    reader.browser.get(address)
    again = reader.run("return [...document.querySelectorAll('.said li:not([hidden]) > b')].map((b) => b.textContent)")
    assert again == lines
    assert len([row for row in reader.all("#list tbody tr") if row.is_displayed()]) == 2
    # Whatever is searched for.
    for text in ["100% & more=?", "%", "100%25"]:
        reader.open()
        reader.one("#find-calls").send_keys(text)
        address = reader.browser.current_url
        reader.browser.get("about:blank")
        reader.browser.get(address)
        assert reader.one("#find-calls").get_attribute("value") == text
    reader.open("#%")
    reader.one("#find-calls").send_keys("owen")
    assert len([row for row in reader.all("#list tbody tr") if row.is_displayed()]) == 2, "an address that is none breaks nothing"


def rows(reader):
    return [row.text for row in reader.all("#list tbody tr")]


def leads_to_calls(reader):
    reader.open()
    # From a group, a rule and a keyword to their calls, and from the field to others.
    group = next(row for row in reader.all("#groups tbody tr") if row.text.startswith("Priya"))
    group.find_element(By.TAG_NAME, "a").click()
    reader.until("her calls are shown", lambda: len(rows(reader)) == 2)
    assert all("Priya" in row for row in rows(reader))
    fields = {field.text.split("\n")[0].strip(): field.find_element(By.TAG_NAME, "select") for field in reader.all("#call-filters label:has(select)")}
    field = next(field for name, field in fields.items() if name.startswith("queue"))
    assert next(field for name, field in fields.items() if name.startswith("agent")).get_attribute("value") == "Priya"
    Select(field).select_by_visible_text("billing")
    assert rows(reader) == [] and reader.one("#found-calls").text == "0 of 6"
    reader.one("#all-calls").click()
    assert len(rows(reader)) == 6
    for section in ["rules", "keywords", "trend"]:
        link = next(link for link in reader.all(f"#{section} td a") if link.is_displayed())
        wanted = int(link.text)
        reader.run("arguments[0].scrollIntoView({block: 'center'})", link)
        link.click()
        reader.until(f"the calls of {section} are shown", lambda: len(rows(reader)) == wanted)
    # From what needs a look to the evidence.
    link = next(link for link in reader.all("#attention li li a"))
    target = link.get_attribute("href").split("#")[1]
    link.click()
    reader.until("the evidence is in view", lambda: reader.in_view(f"#{target}"))


def holds_every_call(reader, address):
    reader.browser.get(address)
    drawn = reader.run("return data.calls.filter((call) => call[1] !== 0).length")
    assert 40 < drawn < 400, drawn
    assert len(rows(reader)) == 100
    assert reader.one("#found-calls").text == "2,000 calls, the first 100 are shown"
    # What the script shows is what the server of the numbers wrote, cell by cell.
    same = reader.run(
        "return calls.filter((call) => call.row).every((call) => { const cells = [...call.row.cells].filter((cell) => cell.classList.contains('num'));"
        "return call.figures.every((figure, at) => figureText(figure) === cells[at].textContent && String(figureNumber(figure) ?? '') === cells[at].dataset.v.replace(/\\.0$/, '')); })")
    assert same, "a figure differs"
    far = reader.run("return calls.find((call) => !call.row).name")
    reader.one("#find-calls").send_keys(far)
    assert len(rows(reader)) == 1 and rows(reader)[0].startswith(far), "calls are found that are not listed"
    reader.one("#find-calls").clear()
    reader.one("#find-calls").send_keys("agent 39")
    reader.until("all calls of an agent are found", lambda: len(rows(reader)) == 50)
    reader.one("#all-calls").click()
    reader.one("#more-calls").click()
    assert len(rows(reader)) == 200
    reader.one("#list th[data-metric=longest_silence_ms] button, #list th[data-metric=dead_air_ms] button").click()
    numbers = [float(value) for value in reader.column("dead_air_ms")]
    assert numbers == sorted(numbers), "all calls are sorted, not those that are shown"
    size = (reader.work / "many/report.html").stat().st_size
    assert size < 3_000_000, size
    reader.fits()


def plays(reader):
    audio = reader.work / "audio"
    audio.mkdir(exist_ok=True)
    for name in ["refund-anna", "cancel-marcus"]:
        with wave.open(str(audio / f"{name}.wav"), "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(8000)
            sound.writeframes(bytes(16_000 * 150))
    page = reader.work / "out/playing.html"
    subprocess.run([reader.talkmeter, "report", reader.work / "out", "-o", page, "--audio", audio, "-q"], check=True)
    reader.browser.get(page.as_uri())
    call = reader.one(".call:has(audio)")
    state = lambda: reader.run("const audio = arguments[0].querySelector('audio'); return [audio.networkState, audio.readyState, audio.currentTime, audio.paused]", call)
    call.find_element(By.CSS_SELECTOR, "summary").click()
    assert state()[1] == 0 and state()[3], "nothing is loaded before a click"
    line = next(line for line in call.find_elements(By.CSS_SELECTOR, ".said li") if int(line.get_attribute("data-ms") or 0) > 20_000)
    begin, end = (int(line.get_attribute(name)) / 1000 for name in ["data-ms", "data-end"])
    reader.run("arguments[0].scrollIntoView({block: 'center'})", line)
    line.find_element(By.TAG_NAME, "p").click()
    reader.until("it plays from the word", lambda: state()[1] > 0 and not state()[3] and begin - 0.1 <= state()[2] <= end + 2)
    segment = call.find_elements(By.CSS_SELECTOR, ".seg")[1]
    reader.run("arguments[0].scrollIntoView({block: 'center'})", segment)
    webdriver.ActionChains(reader.browser).move_to_element(segment.find_element(By.TAG_NAME, "svg")).click().perform()
    length = float(reader.run("return arguments[0].style.getPropertyValue('--ms')", segment)) / 1000
    reader.until("it plays from the lane", lambda: abs(state()[2] - 1.5 * length) < 2)
    event = call.find_element(By.CSS_SELECTOR, ".event")
    reader.run("arguments[0].scrollIntoView({block: 'center'})", event)
    event.find_element(By.TAG_NAME, "summary").click()
    reader.until("it plays from the event", lambda: 0 <= state()[2] - int(event.get_attribute("data-ms")) / 1000 < 2)
    reader.run("arguments[0].querySelector('audio').pause()", call)


def has_nothing_for_axe(reader):
    if reader.axe is None:
        return
    subprocess.run([reader.talkmeter, "report", reader.work / "out", "-o", reader.work / "apart/report.html", "--pages", "-q"],
                   check=True, stdout=subprocess.DEVNULL)
    single = next((reader.work / "apart/report-pages").glob("*.html"))
    addresses = [reader.address, *(path.as_uri() for path in [reader.work / "out/playing.html", single])]
    for scheme, address in [(scheme, address) for scheme in ["light", "dark"] for address in addresses]:
        reader.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
        reader.browser.get("about:blank")
        reader.browser.get(address)
        reader.run("document.querySelectorAll('.call > details, .more, .tile:first-child').forEach((part) => { part.open = true })")
        reader.run(reader.axe.read_text())
        reader.browser.set_script_timeout(300)
        found = reader.browser.execute_async_script("const done = arguments[0]; axe.run().then((found) => done(found.violations))")
        told = [f"{scheme} {address} {one['id']}: {one['help']}: {one['nodes'][0]['html'][:200]}" for one in found]
        assert not told, "\n".join(told)
    reader.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def zooms(reader):
    reader.open("#c1")
    width = lambda: reader.run("return document.querySelector('#c1 .track').offsetWidth")
    before = width()
    reader.one("#c1 [data-zoom=in]").click()
    assert abs(width() - 2 * before) < 4
    reader.one("#c1 .scroll").send_keys("+")
    assert abs(width() - 4 * before) < 8
    assert reader.one("#c1 .whole").is_displayed(), "an overview stands above"
    reader.one("#c1 [data-zoom=all]").click()
    assert abs(width() - before) < 4


def zooms_into_hours(reader):
    said = [{"begin_time": at * 60_000, "end_time": at * 60_000 + 30_000, "text": "well"} for at in range(180)]
    (reader.work / "long.json").write_text(json.dumps({"transcripts": [{"channel_id": 0, "sentences": said}]}))
    subprocess.run([reader.talkmeter, "analyze", reader.work / "long.json", "-o", reader.work / "long", "--only", "report", "-q"],
                   check=True, stdout=subprocess.DEVNULL)
    reader.browser.get((reader.work / "long/report.html").as_uri() + "#c1")
    for _ in range(4):
        times = reader.run(
            "return [...document.querySelectorAll('#c1 .seg .time')].map((time) => { const range = document.createRange();"
            "range.selectNodeContents(time); const box = range.getBoundingClientRect(); return [box.left, box.right]; })"
            ".filter(([left, right]) => right > left)")
        assert len(times) > 8 and all(one[1] < two[0] for one, two in zip(times, times[1:])), "times lie on each other"
        reader.one("#c1 [data-zoom=in]").click()


def explains(reader):
    reader.open()
    tile = next(tile for tile in reader.all(".tile") if "Interruptions" in tile.text)
    tile.find_element(By.TAG_NAME, "summary").send_keys(Keys.ENTER)
    reader.until("its definition opens", lambda: "interruption_overlap_ms 1000" in tile.text)
    assert "5 of 6 calls" in tile.text
    tile.find_element(By.LINK_TEXT, "Calls behind this figure").click()
    reader.until("the list is sorted by it", lambda: reader.one("#list th[data-metric=interruption_count]").get_attribute("aria-sort"))
    dash = reader.one("#list .none")
    assert dash.get_attribute("data-why") and dash.get_attribute("tabindex") == "0"


def narrows(reader):
    reader.browser.set_window_size(1280, 1000)
    reader.open()
    reader.fits()
    reader.picture("desktop")
    # A window of a phone: set as the device would, since a window has a smallest width.
    reader.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                   {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True})
    reader.open()
    reader.fits()
    shown = [head.text for head in reader.all("#list thead th") if head.is_displayed()]
    assert len(shown) == 4, shown
    reader.picture("phone")
    reader.one("#more-columns").click()
    assert len([head for head in reader.all("#list thead th") if head.is_displayed()]) > 8
    reader.fits()
    reader.open("#c1")
    reader.fits()
    rows = reader.run("return [...document.querySelectorAll('#c1 .seg')].map((seg) => seg.getBoundingClientRect().top)")
    assert len(set(rows)) == len(rows), "a minute has a row of its own"
    reader.picture("phone-call")
    reader.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    reader.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})
    reader.open("#c1")
    paper = reader.run("return getComputedStyle(document.body).backgroundColor")
    assert paper == "rgb(21, 24, 26)", paper
    reader.picture("dark")
    reader.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def reads_without_scripts(reader):
    reader.browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    reader.open()
    assert not reader.one("#find-calls").is_displayed(), "what needs a script is not shown"
    reader.one("#c1 > details > summary").click()
    assert reader.one("#c1 .said li").is_displayed()
    assert "refund" in reader.one("#c1 .said").text.lower()
    reader.browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def prints(reader):
    reader.open("#c1")
    for orientation in ["portrait", "landscape"]:
        options = PrintOptions()
        options.orientation, options.background = orientation, True
        options.page_width, options.page_height = 21.0, 29.7
        path = reader.work / f"{orientation}.pdf"
        path.write_bytes(base64.b64decode(reader.browser.print_page(options)))
        with pymupdf.open(path) as pdf:
            texts = [page.get_text() for page in pdf]
            for number, page in enumerate(pdf):
                # Nothing reaches into the margin: it would be cut off.
                inner = page.rect + (20, 0, -20, 0)
                outside = [word[4] for word in page.get_text("words") if word[0] < inner.x0 or word[2] > inner.x1]
                assert not outside, f"{orientation}, page {number + 1}: {outside}"
        whole = "\n".join(texts)
        assert "\u25b8" not in whole and "\u25b6" not in whole, "no triangle that opens nothing"
        assert "How can I help" in whole, "the open call is printed"
    reader.open()
    options = PrintOptions()
    (reader.work / "closed.pdf").write_bytes(base64.b64decode(reader.browser.print_page(options)))
    with pymupdf.open(reader.work / "closed.pdf") as pdf:
        assert all("Single calls" not in page.get_text() for page in pdf), "no heading over nothing"


def nothing_asked_and_nothing_said(reader):
    said = [entry for entry in reader.browser.get_log("browser")]
    assert not said, said
    asked = set()
    for entry in reader.browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        asking = message["params"] if message["method"] == "Network.requestWillBeSent" else {}
        # The browser's own first tab asks for parts of itself.
        if asking.get("documentURL", "").startswith(reader.address):
            asked.add(asking["request"]["url"].split("#")[0])
    assert asked == {reader.address}, asked


def main():
    talkmeter, work = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    work.mkdir(parents=True, exist_ok=True)
    address = make(talkmeter, work)
    browser = start(work)
    try:
        browser.set_window_size(1280, 1000)
        axe = pathlib.Path(sys.argv[3]).resolve() if len(sys.argv) > 3 else None
        reader = Reader(browser, talkmeter, work, address, axe)

        def holds_all_of_two_thousand_calls(reader):
            holds_every_call(reader, make_many(talkmeter, work))

        stories = [sorts, opens, jumps, filters, leads_to_calls, zooms, zooms_into_hours, explains, narrows, reads_without_scripts, prints,
                   nothing_asked_and_nothing_said, plays, has_nothing_for_axe, holds_all_of_two_thousand_calls]
        for story in stories:
            story(reader)
            print(f"{story.__name__.replace('_', ' ')}: ok", flush=True)
    finally:
        browser.quit()
    print(f"{len(stories)} passed, 0 failed")


main()
