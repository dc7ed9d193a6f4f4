"""Drives the report in headless Chromium, as a reader would: python report.py TALKMETER WORKDIR

Needs selenium and Debian's chromium and chromium-driver. Makes a report of the example calls, then sorts, opens, jumps, filters,
zooms, goes back in by the address, narrows the window, prints. Fails on any request to a host, any message in the console, anything
that scrolls the page sideways. Leaves pictures in WORKDIR.
"""

import base64
import json
import pathlib
import subprocess
import sys

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
         "ch0=agent,ch1=customer", "--keyword", "refund", "--keyword", "退款", "--tables", "csv", "-q"],
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


class Reader:
    def __init__(self, browser, talkmeter, work, address):
        self.browser, self.talkmeter, self.work, self.address = browser, talkmeter, work, address

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
    # From a hit to its words in the transcript.
    hit = reader.one("#c1 .evidence .times a")
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
    # From a lane to what was said then: the middle of the second minute.
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
    pdf = base64.b64decode(reader.browser.print_page(PrintOptions()))
    (reader.work / "report.pdf").write_bytes(pdf)
    assert pdf.startswith(b"%PDF") and len(pdf) > 20_000


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
        reader = Reader(browser, talkmeter, work, address)
        stories = [sorts, opens, jumps, filters, zooms, zooms_into_hours, explains, narrows, reads_without_scripts, prints, nothing_asked_and_nothing_said]
        for story in stories:
            story(reader)
            print(f"{story.__name__.replace('_', ' ')}: ok", flush=True)
    finally:
        browser.quit()
    print(f"{len(stories)} passed, 0 failed")


main()
