"""The Player in headless Chromium: in a page of its own, and wherever a notebook is shown."""

import json
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from asked import WHAT_IS_SENT, asking_player
from chromium import FLAGS, PROGRAM
from jupyter import KERNEL_IS_READY, SECOND, environment, jupyterlab, voila
from playwright.sync_api import TimeoutError as TooLate
from playwright.sync_api import sync_playwright
from test_lab_browser import CODE

from tcpviz import SCENARIOS, read, simulate
from tcpviz.panels import panel
from tcpviz.player import Player
from tcpviz.questions import QuestionError, questions
from tcpviz.static import BRIDGE
from tcpviz.units import readable
from tcpviz.words import say

ROOT = Path(__file__).parent.parent
AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
PLAYER = ".tcpviz-player"
SCRUB = f"{PLAYER} input[type=range]"
CAPTION = f"{PLAYER} .tcpviz-caption"
ALL_OF_IT = {"width": 1300, "height": 7000}  # a player comes to life when it is seen
CELLS = (
    "from tcpviz import SCENARIOS, simulate\nfrom tcpviz.player import Player",
    'player = Player(simulate(SCENARIOS["lost_fin"]))\nplayer',
    "player",
    'Player(SCENARIOS["lost_fin"])',
    'from tcpviz.panels import panel\npanel(SCENARIOS["lost_fin"], "closer")',
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(PROGRAM is None, reason="no Chromium on PATH"),
]


# -- pages -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def new_page(browser):
    """Open pages that reach nothing but this machine, and whose errors fail the test."""
    contexts, errors = [], []

    def new(**options):
        context = browser.new_context(**{"viewport": {"width": 1300, "height": 1400}, **options})
        contexts.append(context)
        context.route(re.compile(r"^https?://(?!127\.0\.0\.1|localhost)"), lambda r: r.abort())
        page = context.new_page()
        page.on("pageerror", note)
        return page

    def note(error):  # JupyterLab leaves promises behind when a page is closed
        if "Canceled future" not in str(error):
            errors.append(str(error))

    yield new
    for context in contexts:
        context.close()
    assert errors == []


def shown(page, *players):
    """Show these players in a page of their own."""
    parts = "".join(player.html() for player in players)
    head = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Players</title>'
    page.set_content(f"{head}<main>{parts}</main>")
    page.wait_for_function(
        f"document.querySelectorAll('{PLAYER}').length === {len(players)}", timeout=30 * SECOND
    )
    return page


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def steps_by_keys(page):
    """Walk with the right arrow from the beginning; true if the captions are those of the run."""
    page.wait_for_selector(SCRUB, timeout=60 * SECOND)
    page.focus(SCRUB)
    press(page, "Home", "ArrowRight", "ArrowRight", "ArrowRight")
    assert page.inner_text(CAPTION) == "client sends <SEQ=100><CTL=SYN>."
    press(page, "End", "ArrowLeft")
    assert page.inner_text(CAPTION).startswith("server receives <SEQ=102><ACK=302><CTL=ACK>.")
    assert page.evaluate(f"document.activeElement === document.querySelector('{SCRUB}')")


# -- stepping --------------------------------------------------------------------------------------

WALK = """
([player, steps]) => {
  const scrub = player.querySelector("input[type=range]"), seen = [];
  for (let step = 0; step < steps; step++) {
    scrub.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowRight", bubbles: true}));
    seen.push([
      player.querySelector(".tcpviz-clock").textContent,
      player.querySelector(".tcpviz-caption").textContent,
      [...player.querySelectorAll(".tcpviz-tcb tbody tr")].map(
        row => [...row.querySelectorAll("td")].map(cell => cell.textContent)),
    ]);
  }
  return seen;
}
"""


def expected(trace, done):
    """What stands in the table after so many steps: a row a variable, a column an end."""
    columns = []
    now = trace.steps[done - 1].time
    for nth, end in enumerate(trace.ends):
        mine = [step for step in trace.steps[:done] if step.end == end.name]
        if not mine or mine[-1].state is None:
            first = next(step for step in trace.of(end.name))
            columns.append([first.edges[0].split(":")[0], "-", "-", "-", "none"])
            continue
        step = mine[-1]
        numbers = ["-"] * 3
        if step.variables:
            known = step.state not in ("CLOSED", "LISTEN", "SYN-SENT")
            absolute = trace.source == "simulation"
            bases = [end.iss, end.iss, trace.ends[1 - nth].iss]
            numbers = [
                str(number if absolute else (number - base) % 2**32)
                for number, base in zip(step.variables, bases, strict=True)
            ]
            numbers[2] = numbers[2] if known else "-"
        waits = [
            say("player_left", name=timer.name, left=readable(timer.until - now))
            for timer in step.timers
        ]
        columns.append([step.state, *numbers, "; ".join(waits) or "none"])
    return [list(row) for row in zip(*columns, strict=True)]


@pytest.mark.parametrize("name", ["lost_fin", "simultaneous_close", "half_open", "no_answer"])
def test_every_step_shows_the_trace(new_page, name):
    """At each step: its number and time, each end's state, variables, and timers with time left."""
    trace = simulate(SCENARIOS[name])
    page = shown(new_page(), Player(trace))
    seen = page.evaluate(WALK, [page.query_selector(PLAYER), len(trace.steps)])
    for done, (clock, caption, table) in enumerate(seen, start=1):
        step = trace.steps[done - 1]
        assert clock == say(
            "player_position", done=done, all=len(trace.steps), time=readable(step.time)
        )
        assert table == expected(trace, done), done
        for edge in step.edges:
            assert edge.split(": ")[1].split(" (")[0] in caption
        if step.segment:
            assert str(step.segment) in caption


def test_a_capture_plays(new_page):
    """A recording steps to its end as well; it says what was inferred and what is not known."""
    trace = read(ROOT / "notebooks" / "captures" / "lost_fin.pcapng")[0]
    page = shown(new_page(), Player(trace))
    seen = page.evaluate(WALK, [page.query_selector(PLAYER), len(trace.steps)])
    assert len({caption for _, caption, _ in seen}) > len(seen) / 2
    assert not any("undefined" in json.dumps(each) or "NaN" in json.dumps(each) for each in seen)


def test_chart_and_diagram_show_what_has_happened(new_page):
    """Cursor, arrows and frames follow the step; going back takes it all back."""
    page = shown(new_page(), Player(simulate(SCENARIOS["lost_fin"])))
    state = """() => [
      document.querySelector(".tcpviz-cursor").getAttribute("transform"),
      document.querySelectorAll(".tcpviz-pane .tcpviz-future").length,
      document.querySelectorAll(".tcpviz-diagram .tcpviz-future").length,
      [...document.querySelectorAll(".tcpviz-here")].map(here => here.style.transform)]"""
    page.focus(SCRUB)
    begin = page.evaluate(state)
    seen = [begin]
    for _ in range(8):
        press(page, "ArrowRight")
        seen.append(page.evaluate(state))
    arrows, parts, frames = zip(*[each[1:] for each in seen], strict=True)
    assert list(arrows) == sorted(arrows, reverse=True)
    assert arrows[0] > arrows[-1]
    assert list(parts) == sorted(parts, reverse=True)
    assert frames[0] != frames[-1]
    heights = [float(each[0].split()[1].rstrip(")")) for each in seen]
    assert heights == sorted(heights)
    for before in reversed(seen[:-1]):
        press(page, "ArrowLeft")
        assert page.evaluate(state) == before


def test_it_is_one_svg_all_along(new_page):
    """Stepping makes and removes no part of a picture: the two SVGs stay the same."""
    page = shown(new_page(), Player(simulate(SCENARIOS["lost_fin"])))
    page.evaluate(
        """() => {
          window.changes = 0;
          const watch = new MutationObserver(all => window.changes += all.length);
          for (const svg of document.querySelectorAll(".tcpviz-views svg"))
            watch.observe(svg, {childList: true, subtree: true});
        }"""
    )
    page.focus(SCRUB)
    press(page, *["ArrowRight"] * 22, "Home", "End")
    assert page.evaluate("window.changes") == 0


def test_a_step_makes_nothing_and_measures_nothing(new_page):
    """With a key, texts, classes and attributes change: no part comes or goes, no layout is asked.

    Either would cost more than the step itself.
    """
    page = shown(new_page(), Player(SCENARIOS["lost_fin"]))
    page.focus(SCRUB)
    page.evaluate(
        """() => {
          window.asked = [];
          window.changes = 0;
          window.told = 0;
          const player = document.querySelector(".tcpviz-player");
          const watch = new MutationObserver(all => { for (const one of all)
            one.type === "childList" ? window.changes++ : window.told++; });
          watch.observe(player, {childList: true, characterData: true, subtree: true});
          const names = {
            Element: ["getBoundingClientRect", "scrollTop", "scrollLeft", "scrollWidth",
                      "clientWidth", "clientHeight", "scrollIntoView"],
            HTMLElement: ["offsetTop", "offsetHeight", "offsetWidth", "innerText", "focus"],
            SVGGraphicsElement: ["getBBox", "getCTM"],
            SVGTextContentElement: ["getComputedTextLength"],
          };
          let within = false;
          for (const [kind, all] of Object.entries(names)) for (const name of all) {
            const plain = Object.getOwnPropertyDescriptor(window[kind].prototype, name);
            const noted = (act) => function (...values) {
              if (within) window.asked.push(name);
              return act.apply(this, values);
            };
            Object.defineProperty(window[kind].prototype, name, plain.get
              ? {...plain, get: noted(plain.get)} : {...plain, value: noted(plain.value)});
          }
          addEventListener("keydown", () => (within = true), true);
          addEventListener("keyup", () => (within = false), true);
          player.addEventListener("keydown", () => (within = false));
        }"""
    )
    press(page, *["ArrowRight"] * 22, *["ArrowLeft"] * 22, "End", "Home")
    assert page.evaluate("window.asked") == []
    assert page.evaluate("window.changes") == 0
    assert page.evaluate("window.told") > 100


def test_it_plays_and_pauses(new_page):
    """Space plays a step at a time until the end, a key or Space again stops it."""
    page = new_page()
    page.clock.install()
    shown(page, Player(simulate(SCENARIOS["handshake"])))
    page.focus(SCRUB)
    press(page, " ")
    page.clock.run_for(2500)
    assert page.inner_text(f"{PLAYER} .tcpviz-clock").startswith("step 2 of 8")
    press(page, " ")
    page.clock.run_for(10_000)
    assert page.inner_text(f"{PLAYER} .tcpviz-clock").startswith("step 2 of 8")
    page.select_option(f"{PLAYER} select", "4")
    page.focus(SCRUB)
    press(page, " ")
    page.clock.run_for(10_000)
    assert page.inner_text(f"{PLAYER} .tcpviz-clock").startswith("step 8 of 8")
    assert page.get_attribute(f"{PLAYER} button:nth-of-type(3)", "aria-label") == "Play"


@pytest.mark.parametrize(("speed", "steps"), [("0.5", 1), ("1", 3), ("2", 6), ("4", 12)])
def test_the_speed_is_how_many_steps_a_time(new_page, speed, steps):
    """At twice the speed twice as many steps happen in the same time."""
    page = new_page()
    page.clock.install()
    shown(page, Player(simulate(SCENARIOS["lost_fin"])))
    page.select_option(f"{PLAYER} select", speed)
    page.focus(SCRUB)
    press(page, " ")
    page.clock.run_for(3900)
    now = page.inner_text(f"{PLAYER} .tcpviz-clock").split()[1]
    assert int(now) in (steps, steps + 1)  # time goes on a little while we look


def test_who_hears_it_hears_each_step(new_page):
    """The caption is a live region, the slider says its moment, and the chart its description."""
    page = shown(new_page(), Player(simulate(SCENARIOS["lost_fin"])))
    page.focus(SCRUB)
    press(page, "ArrowRight", "ArrowRight")
    caption = page.query_selector(CAPTION)
    assert [caption.get_attribute(f"aria-{name}") for name in ("live", "atomic")] == [
        "polite",
        "true",
    ]
    assert caption.get_attribute("role") == "status"
    assert page.get_attribute(SCRUB, "aria-valuetext") == "step 2 of 22, 0 ms"
    described = page.get_attribute(f"{PLAYER} .tcpviz-pane svg", "aria-description")
    assert "Lost on the way: FIN,ACK of client at 250 ms" in described


def test_what_the_chart_tells_is_not_heard_before(new_page):
    """While a question waits, the chart's description, which tells the run, is not there."""
    page = shown(new_page(), asking_player())
    chart = f"{PLAYER} .tcpviz-pane svg"
    assert page.get_attribute(chart, "aria-description") is None
    page.uncheck(f"{PLAYER} input[type=checkbox]")
    assert "client" in page.get_attribute(chart, "aria-description")


def test_the_chart_follows_the_cursor(new_page):
    """In a window in which the chart does not fit, the cursor stays in its pane."""
    page = shown(
        new_page(viewport={"width": 860, "height": 900}), Player(simulate(SCENARIOS["lost_fin"]))
    )
    where = """() => {
      const pane = document.querySelector(".tcpviz-pane").getBoundingClientRect();
      const at = document.querySelector(".tcpviz-cursor").getBoundingClientRect().top;
      return [(at - pane.top) / pane.height, document.querySelector(".tcpviz-pane").scrollTop];
    }"""
    page.focus(SCRUB)
    scrolled = set()
    for _ in range(22):
        press(page, "ArrowRight")
        page.wait_for_timeout(50)
        place, top = page.evaluate(where)
        assert 0 <= place <= 1
        scrolled.add(top)
    assert len(scrolled) > 2


def test_each_end_has_its_own_frame_in_the_diagram(new_page):
    """The frame with an end's name lies around the state that this end is in."""
    trace = simulate(SCENARIOS["lost_fin"])
    page = shown(new_page(reduced_motion="reduce"), Player(trace))
    page.focus(SCRUB)
    around = """() => [...document.querySelectorAll(".tcpviz-here")].map(here => {
      const {left, right, top, bottom} = here.querySelector("rect").getBoundingClientRect();
      const inside = [...document.querySelectorAll("[data-id^='state_']")].find(state => {
        const box = state.getBoundingClientRect();
        return box.left > left && box.right < right && box.top > top && box.bottom < bottom;
      });
      return [here.textContent, inside?.querySelector("text").textContent];
    })"""
    for done in range(1, len(trace.steps) + 1):
        press(page, "ArrowRight")
        states, *_ = expected(trace, done)
        assert page.evaluate(around) == [
            [end.name, state] for end, state in zip(trace.ends, states, strict=True)
        ]


@pytest.mark.parametrize("name", ["lost_fin", "simultaneous_close", "refused"])
def test_the_names_of_the_ends_lie_on_no_text_of_the_diagram(new_page, name):
    """At each step the names at the frames cover no text: no legend, no state, no other name."""
    trace = simulate(SCENARIOS[name])
    page = shown(new_page(), Player(trace))
    page.focus(SCRUB)
    covered = """() => {
      const box = (part) => part.getBoundingClientRect();
      const seen = (part) => getComputedStyle(part).display !== "none" && box(part).width > 0;
      const plates = [...document.querySelectorAll(".tcpviz-plate")].filter(seen);
      const texts = [...document.querySelectorAll(".tcpviz-diagram text")]
        .filter(part => seen(part) && !part.closest(".number, .edge, .names"));
      const meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1
        && a.top < b.bottom - 3 && b.top < a.bottom - 3;
      return plates.flatMap(plate => texts
        .filter(text => text.parentNode !== plate.parentNode && meet(box(plate), box(text)))
        .map(text => `${plate.parentNode.textContent} on ${text.textContent}`));
    }"""
    for done in range(len(trace.steps) + 1):
        assert page.evaluate(covered) == [], done
        press(page, "ArrowRight")


def test_the_segment_of_the_step_is_marked(new_page):
    """Of all arrows that of the segment that leaves or arrives now is the heavy one."""
    trace = simulate(SCENARIOS["lost_fin"])
    page = shown(new_page(), Player(trace))
    page.focus(SCRUB)
    heavy = """() => [...document.querySelectorAll(".tcpviz-pane .edge.flight")]
      .filter(arrow => [...arrow.querySelectorAll("path, polyline")]
        .some(line => getComputedStyle(line).strokeWidth === "2.75px"))
      .map(arrow => arrow.dataset.id.split("_")[1])"""
    for step in trace.steps:
        press(page, "ArrowRight")
        assert set(page.evaluate(heavy)) == (set() if step.flight is None else {str(step.flight)})


def test_a_press_on_a_segment_goes_there(new_page):
    """The chart is at the segment's departure, then at its arrival, and its header is shown."""
    page = shown(new_page(), Player(simulate(SCENARIOS["lost_fin"])))
    page.click("[data-id=flight_1_label]")
    assert page.inner_text(CAPTION) == "server sends <SEQ=300><ACK=101><CTL=SYN,ACK>."
    header = page.inner_text(f"{PLAYER} .tcpviz-header")
    for row in ("sequence number\t300\t0", "acknowledgment number\t101\t1", "window\t65535"):
        assert row in header
    page.click("[data-id=flight_1_label]")
    assert page.inner_text(CAPTION).startswith("client receives <SEQ=300>")
    press(page, "ArrowRight")  # and the keys are the player's
    assert page.inner_text(CAPTION).startswith("client sends <SEQ=101>")


def test_options_are_in_the_header(new_page):
    """A recorded SYN tells its options, and its absolute number beside the relative one."""
    trace = read(ROOT / "notebooks" / "captures" / "normal.pcapng")[0]
    page = shown(new_page(), Player(trace))
    page.click("[data-id=flight_0_label]")
    header = page.inner_text(f"{PLAYER} .tcpviz-header")
    assert f"sequence number\t{trace.flights[0].segment.seq}\t0" in header
    assert "MSS" in header.upper()


def test_a_state_tells_when_it_was_entered(new_page):
    """A press on a state, or Enter on it, tells who entered it when, and by which rule."""
    page = shown(new_page(), Player(simulate(SCENARIOS["lost_fin"])))
    page.click("[data-id=state_TIME_WAIT]")
    told = page.inner_text(f"{PLAYER} .tcpviz-info")
    assert "client enters TIME-WAIT at 1.41 s: rcv FIN (RFC 9293 3.10.7.4)." in told
    page.click(f"{PLAYER} .tcpviz-info button")
    assert "1.41 s" in page.inner_text(f"{PLAYER} .tcpviz-clock")
    page.click("[data-id=state_CLOSING]")
    assert (
        page.inner_text(f"{PLAYER} .tcpviz-info")
        .strip()
        .endswith("No end is in CLOSING in this run.")
    )


RING = """
() => {
  const on = document.activeElement;
  const drawn = on.querySelector(":scope path, :scope polygon");
  return getComputedStyle(on).outlineStyle !== "none"
    || getComputedStyle(drawn).stroke === "rgb(213, 94, 0)";
}
"""
ON = "document.activeElement.dataset.id ?? document.activeElement.ariaLabel"


def test_the_chart_is_one_stop_of_tab(new_page):
    """Tab comes to the segment of the moment; arrows go on from there, Enter goes to its moments.

    From the last segment they go on to the first, and with Tab one leaves the chart.
    """
    trace = simulate(SCENARIOS["duplicated_fin"])
    page = shown(new_page(), Player(trace))
    page.focus(SCRUB)
    press(page, *["ArrowRight"] * 7)
    page.wait_for_timeout(100)
    press(page, "Tab", "Tab")
    assert page.evaluate(ON) == "flight_2_label"
    assert page.evaluate(RING)
    name = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert name == f"{trace.flights[2].segment} from client"
    clock = f"{PLAYER} .tcpviz-clock"
    press(page, "ArrowDown")
    assert page.evaluate(ON) == "flight_3_label"
    assert page.inner_text(clock).startswith("step 7 of")  # looking is not going
    press(page, "Enter")
    moments = [at for at, step in enumerate(trace.steps, 1) if step.flight == 3]
    assert page.inner_text(clock).startswith(f"step {moments[0]} of")
    press(page, " ")
    assert page.inner_text(clock).startswith(f"step {moments[1]} of")
    last = f"flight_{len(trace.flights) - 1}_label"
    for key, there in (
        ("Home", "flight_0_label"),
        ("ArrowUp", last),
        ("ArrowRight", "flight_0_label"),
        ("End", last),
    ):
        press(page, key)
        assert page.evaluate(ON) == there
    press(page, "Tab")
    assert page.evaluate(ON) == "state_CLOSED"
    assert page.locator(".tcpviz-pane [tabindex='0'], .tcpviz-pane[tabindex='0']").count() == 1


def test_keys_find_no_segment_that_is_still_to_come(new_page):
    """While a question waits, the arrows go through what has happened; at first nothing has."""
    page = shown(new_page(), asking_player())
    page.wait_for_timeout(100)
    assert page.get_attribute(".tcpviz-pane", "tabindex") == "0"
    page.focus(SCRUB)
    press(page, "End")
    page.wait_for_timeout(100)
    page.focus("[data-id=flight_0_label]")
    for key in ("ArrowRight", "End", "ArrowLeft", "Home"):
        press(page, key)
        assert page.evaluate(ON) == "flight_0_label"
    assert page.get_attribute(".tcpviz-pane", "tabindex") == "-1"


def test_a_lesson_needs_no_mouse(new_page):
    """From the page's beginning, Tab and keys reach every control, the chart, and every state."""
    page = shown(new_page(), asking_player())
    names, told = [], "document.activeElement.ariaLabel || document.activeElement.textContent"
    for _ in range(10):
        press(page, "Tab")
        names.append(page.evaluate(told).strip())
        outline = page.evaluate(RING)
        assert outline, names[-1]
        if names[-1] in ("Play", "One step on"):
            style = page.evaluate(
                "(({outlineColor, outlineWidth}) => [outlineColor, outlineWidth])"
                "(getComputedStyle(document.activeElement))"
            )
            assert style == ["rgb(213, 94, 0)", "3px"]  # ours, and not the browser's thin one
    assert names[:6] == [
        "To the beginning",
        "One step back",
        "Play",
        "One step on",
        "To the end",
        "Moment",
    ]
    assert "CLOSED" in names
    while page.evaluate(told).strip() != "CLOSED":
        press(page, "Shift+Tab")
    seen = set()
    for _ in range(12):
        press(page, "ArrowRight", "Enter")
        seen.add(page.inner_text(f"{PLAYER} .tcpviz-info strong"))
    assert len(seen) == 11


def test_motion_is_only_for_those_who_want_it(new_page):
    """The film moves the frames smoothly, but not where that is unwanted, and a step never does."""
    player = Player(simulate(SCENARIOS["handshake"]))
    duration = "getComputedStyle(document.querySelector('.tcpviz-here')).transitionDuration"
    for wanted in ("reduce", "no-preference"):
        page = shown(new_page(reduced_motion=wanted), player)
        page.focus(SCRUB)
        press(page, "ArrowRight")
        assert page.evaluate(duration) == "0s"  # what moves delays the next key
        press(page, " ")
        assert (page.evaluate(duration) == "0s") == (wanted == "reduce")
        press(page, "ArrowRight")
        assert page.evaluate(duration) == "0s"


def test_fingers_find_the_controls(new_page):
    """On a touch screen each control is at least 44 px high and wide, and a tap steps."""
    page = shown(
        new_page(has_touch=True, is_mobile=True, viewport={"width": 400, "height": 800}),
        asking_player(),
    )
    sizes = page.eval_on_selector_all(
        f"{PLAYER} .tcpviz-bar > *",
        "all => all.map(e => e.getBoundingClientRect()).map(b => Math.min(b.width, b.height))",
    )
    assert len(sizes) == 8
    assert min(sizes) >= 44
    page.tap(f"{PLAYER} button[aria-label='One step on']")
    assert page.inner_text(f"{PLAYER} .tcpviz-clock").startswith("step 1 of 8")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_players_in_a_page_do_not_meet(new_page):
    """Of ten players in a page, one of them twice, each steps alone, and no id is there twice."""
    player = Player(simulate(SCENARIOS["lost_fin"]))
    others = [Player(simulate(SCENARIOS[name])) for name in sorted(SCENARIOS)[:8]]
    page = shown(new_page(viewport={"width": 1300, "height": 15_000}), player, player, *others)
    page.focus(f":nth-match({SCRUB}, 2)")
    press(page, "ArrowRight", "ArrowRight")
    clocks = page.eval_on_selector_all(".tcpviz-clock", "all => all.map(e => e.textContent)")
    assert [int(clock.split()[1]) for clock in clocks] == [0, 2, *[0] * 8]
    ids = page.eval_on_selector_all("[id]", "all => all.map(e => e.id)")
    assert len(ids) == len(set(ids))


# -- predicting ------------------------------------------------------------------------------------

VISIBLE = """
() => [...document.querySelectorAll(".tcpviz-pane .flight")]
  .filter(part => getComputedStyle(part).visibility === "visible").map(part => part.dataset.id)
"""


def test_the_answer_is_not_to_be_seen_before(new_page):
    """While a question is ahead nothing of what comes is shown: no arrow, no transcript."""
    page = shown(new_page(), asking_player())
    page.focus(SCRUB)
    assert page.evaluate(VISIBLE) == []
    press(page, "End", "End")
    assert page.inner_text(f"{PLAYER} .tcpviz-clock").startswith("step 4 of 8")
    assert {name[:8] for name in page.evaluate(VISIBLE)} == {"flight_0"}
    assert page.evaluate("getComputedStyle(document.querySelector('.tcpviz-veil')).opacity") == "1"
    assert not page.is_visible(f"{PLAYER} .tcpviz-text")
    page.click("[data-id=state_ESTABLISHED]")
    assert "so far" in page.inner_text(f"{PLAYER} .tcpviz-info")


def test_an_arrow_that_figure_5_lacks_is_not_to_be_seen_before(new_page):
    """It stands in the diagram because the run takes it, so it waits, with its label."""
    page = shown(new_page(), Player(SCENARIOS["close_in_three"], questions=[13]))
    arrow = ".tcpviz-diagram .omitted"
    assert page.locator(arrow).count() == 2
    page.focus(SCRUB)
    press(page, *["ArrowRight"] * 13)
    assert not any(page.locator(arrow).nth(part).is_visible() for part in (0, 1))
    page.check("input[type=radio] >> nth=0")
    page.click(f"button:text-is('{say('player_lock')}')")
    assert all(page.locator(arrow).nth(part).is_visible() for part in (0, 1))


TELLS = """
([player, at]) => {
  const seen = (part) =>
    getComputedStyle(part).visibility === "visible" && part.getClientRects().length > 0;
  const numbers = (part) =>
    [...part.classList].filter((c) => /^s\\d+$/.test(c)).map((c) => +c.slice(1));
  const shown = (selector) => [...player.querySelectorAll(selector)].filter(seen);
  const last = (part) => Math.max(...numbers(part));
  return {
    // parts of the chart that are seen, though the step that makes them true is still to come
    early: shown(".tcpviz-pane [class*=' s']")
      .filter((part) => numbers(part).length && Math.min(...numbers(part)) >= at)
      .map((part) => part.outerHTML.slice(0, 80)),
    fated: shown(".tcpviz-pane .fated").filter((part) => last(part) >= at).length,
    double: shown(".tcpviz-diagram .edge.taken.tcpviz-future").map((part) =>
      part.dataset.id.replace(/_end_\\w+$/, "")),
    beside: shown(".tcpviz-diagram .edge.taken:not(.tcpviz-future)").map((part) =>
      part.dataset.id.replace(/_end_\\w+$/, "")),
    omitted: shown(".tcpviz-diagram .omitted.tcpviz-future").length,
    moves: shown(".tcpviz-diagram .number").map((part) => part.textContent.trim()),
    text: player.innerText,
    chart: shown(".tcpviz-pane text").map((part) => part.textContent.trim()),
    running: shown(".tcpviz-pane .wait").filter((part) => numbers(part).length < 2
      || last(part) >= at).length,
  };
}
"""


@pytest.mark.parametrize(
    "name",
    [
        *("open_and_close", "server_closes_first", "simultaneous_close", "close_in_three"),
        *("half_open", "lost_fin", "lost_last_ack", "duplicated_fin", "no_answer", "given_up"),
        *("port_reuse", "abort", "old_duplicate_syn", "short_time_wait", "linux_close_wait"),
    ],
)
def test_nothing_tells_an_answer_before_it_is_locked(new_page, name):
    """At each question of a run: no later part, role, number, second line, time or word is seen."""
    trace = simulate(SCENARIOS[name])
    asked = list(questions(trace))
    for kind in ("time-wait", "retransmission", "duration", "state"):
        with suppress(QuestionError):
            asked += [each for each in questions(trace, pin=[kind]) if each not in asked]
    page = shown(new_page(), Player(trace, questions=asked))
    player = page.query_selector(PLAYER)
    counts = {end.name: 0 for end in trace.ends}
    asked.sort(key=lambda each: each.step)  # as the player asks them
    for nth, question in enumerate(asked):
        page.focus(SCRUB)
        press(page, "End")
        at = question.step
        assert page.inner_text(f"{PLAYER} .tcpviz-clock").startswith(f"step {at} of")
        seen = page.evaluate(TELLS, [player, at])
        assert seen["early"] == []
        assert (seen["fated"], seen["omitted"]) == (0, 0)
        assert len(seen["double"]) == len(set(seen["double"]))
        assert set(seen["double"]).isdisjoint(seen["beside"])
        for end in trace.ends:
            moves = [edge for s in trace.steps[:at] if s.end == end.name for edge in s.edges]
            counts[end.name] = len(moves)
        numbers = [int(n) for text in seen["moves"] for n in re.findall(r"\d+", text)]
        assert max(numbers, default=0) <= sum(counts.values())
        roles = [word for text in seen["chart"] for word in re.findall("active closer", text)]
        closed = {s.end for s in trace.steps[:at] if s.state == "FIN-WAIT-1"}
        assert len(roles) == len(closed)
        stopped = [text for text in seen["chart"] if text == "stopped"]
        waits = [wait for end in trace.ends for wait in trace.waits(end.name)]
        past = [w for w in waits if w.until <= trace.steps[at - 1].time and w.expired is False]
        assert len(stopped) <= len(past)
        if any(each.kind in ("retransmission", "duration") for each in asked[nth:]):
            assert seen["running"] == 0
            assert not re.search(r"\w, [\d.]+ m?s left", seen["text"])
        page.check(f"{PLAYER} .tcpviz-asks form input >> nth=0")
        page.click(f"{PLAYER} .tcpviz-asks form button")


def test_a_runs_name_does_not_tell(new_page):
    """While a question waits, no name of the run is to be seen or heard; afterwards it is there."""
    page = shown(new_page(), asking_player())
    heads = page.locator(f"{PLAYER} .tcpviz-heading")
    told = "document.querySelector('.tcpviz-views').innerText + ' '"
    named = f"{told} + document.querySelector('{PLAYER}').ariaLabel"
    assert heads.all_text_contents() == ["handshake", "handshake: the states of client, server"]
    assert not any(heads.nth(nth).is_visible() for nth in (0, 1))
    assert page.get_attribute(PLAYER, "aria-label") == say("player_unnamed")
    assert page.locator(PLAYER).get_by_title("handshake").count() == 0
    page.uncheck(f"{PLAYER} input[type=checkbox]")
    assert all(heads.nth(nth).is_visible() for nth in (0, 1))
    assert page.evaluate(named).endswith(say("player_name", title="handshake"))


def test_predict_lock_compare_by_keys(new_page):
    """The player stops, asks, locks the answer, and shows it beside what happened."""
    page = shown(new_page(), asking_player())
    page.focus(SCRUB)
    press(page, *["ArrowRight"] * 5)
    asks = f"{PLAYER} .tcpviz-asks"
    assert "What does the server send?" in page.inner_text(asks)
    press(page, "Enter")
    assert say("player_pick") in page.inner_text(asks)
    press(page, " ", "Enter")
    told = page.inner_text(asks)
    assert told.index("You predicted: ACK") < told.index("What happened: SYN,ACK")
    assert page.inner_text(CAPTION) == "server sends <SEQ=300><ACK=101><CTL=SYN,ACK>."
    assert "Which state is the client in now?" in told
    press(page, "ArrowRight", " ", "Enter")  # the right one
    assert "That is right. ESTABLISHED" in page.inner_text(asks)
    press(page, "Home", *["ArrowRight"] * 5)
    assert page.inner_text(f"{PLAYER} .tcpviz-clock").startswith("step 5 of 8")
    assert "You predicted: ACK" in page.inner_text(asks)  # locked
    assert page.query_selector(f"{asks} input") is None


def test_a_wrong_answer_is_refuted_by_a_run(new_page):
    """The run that refutes it plays within the page; the keys then are that player's."""
    page = shown(new_page(), asking_player())
    page.focus(SCRUB)
    press(page, *["ArrowRight"] * 4)
    page.check(f"{PLAYER} form input >> nth=2")  # the second that has a run
    press(page, "Enter")
    page.click(f"{PLAYER} button:text-is('{say('player_refute')}')")
    name = page.get_attribute(f"{PLAYER} {PLAYER}", "aria-label")
    assert name == say("player_name", title="refused")
    assert page.inner_text(f"{PLAYER} {PLAYER} .tcpviz-clock").startswith("step 0 of")
    press(page, "ArrowRight")
    assert page.inner_text(f"{PLAYER} {PLAYER} .tcpviz-clock").startswith("step 1 of")
    assert page.inner_text(f"{PLAYER} > .tcpviz-now .tcpviz-clock").startswith("step 5 of 8")


def test_each_wrong_answer_has_its_own_reason_and_its_own_run(new_page):
    """Not the first wrong answer's: the reasons of both, and the run, at the same situation."""
    trace = simulate(SCENARIOS["lost_ack_of_fin"])
    (question,) = questions(trace, pin=[(15, "state")])
    wrong = next(choice for choice in question.choices if choice.refutation)
    page = shown(new_page(), Player(trace, questions=[question]))
    page.focus(SCRUB)
    press(page, "End")
    page.check(f"{PLAYER} form input >> nth={question.choices.index(wrong)}")
    page.click(f"{PLAYER} form button")
    told = page.inner_text(f"{PLAYER} .tcpviz-answer")
    assert wrong.why in told
    assert question.right.why in told
    page.click(f"{PLAYER} button:text-is('{say('player_refute')}')")
    nested = page.locator(f"{PLAYER} {PLAYER}")
    assert nested.get_attribute("aria-label") == say("player_name", title=wrong.refutation)
    clock = nested.locator(".tcpviz-clock").inner_text()
    assert clock.startswith(f"step {wrong.refuted_at} of")
    assert wrong.refuted_at > 0


def test_a_refutation_does_not_tell_what_is_still_asked(new_page):
    """It stands below, and while another question waits its future is hidden."""
    page = shown(new_page(), asking_player())
    page.focus(SCRUB)
    before = page.evaluate("document.querySelector('.tcpviz-pane').getBoundingClientRect().top")
    press(page, *["ArrowRight"] * 5, " ", "Enter")
    page.click(f"{PLAYER} button:text-is('{say('player_refute')}')")
    nested = f"{PLAYER} {PLAYER}"
    assert page.locator(f"{nested} .tcpviz-text").is_hidden()
    assert page.get_attribute(f"{nested} .tcpviz-pane svg", "aria-description") is None
    early = page.locator(f"{nested} .tcpviz-pane .tcpviz-future")
    assert early.count() > 0
    assert not any(early.nth(part).is_visible() for part in range(early.count()))
    press(page, "End")
    assert page.locator(f"{nested} .tcpviz-text").is_visible()
    place = "document.querySelector('.tcpviz-pane').offsetTop"
    assert page.evaluate(place) - before < 400  # the chart has not been pushed away


def test_who_looks_has_given_up_the_question(new_page):
    """Unticked and ticked again, what was to be predicted and was seen is not asked any more."""
    page = shown(new_page(), asking_player())
    tick = f"{PLAYER} input[type=checkbox]"
    page.uncheck(tick)
    page.check(tick)
    page.focus(SCRUB)
    press(page, "End")
    assert page.inner_text(f"{PLAYER} .tcpviz-clock").startswith("step 8 of 8")


def test_on_paper_a_waiting_question_hides_nothing(new_page):
    """Timers that a question about time keeps from the screen are in the print."""
    page = shown(new_page(), Player(SCENARIOS["lost_fin"], questions=["retransmission"]))
    assert page.locator(".tcpviz-hushed").count() > 0
    page.emulate_media(media="print")
    assert page.evaluate(
        "[...document.querySelectorAll('.tcpviz-hushed')]"
        ".every(part => getComputedStyle(part).visibility === 'visible')"
    )


def test_who_does_not_want_to_predict_just_steps(new_page):
    """Without the tick nothing is asked and nothing is hidden."""
    page = shown(new_page(), asking_player())
    page.uncheck(f"{PLAYER} input[type=checkbox]")
    page.focus(SCRUB)
    press(page, "End")
    assert page.inner_text(f"{PLAYER} .tcpviz-clock").startswith("step 8 of 8")
    assert page.inner_text(f"{PLAYER} .tcpviz-asks") == ""


# -- accessibility ---------------------------------------------------------------------------------


def violations(page):
    """What axe-core finds and calls serious or critical."""
    page.evaluate(AXE)
    found = page.evaluate(
        "axe.run('.tcpviz-player').then(all => all.violations"
        ".map(v => [v.impact, v.id, v.nodes.map(n => n.html.slice(0, 120))]))"
    )
    return [each for each in found if each[0] in ("serious", "critical")]


FOCUS = "document.activeElement.ariaLabel ?? document.activeElement.textContent"
FORKED = "globalThis.tcpvizAsks = new Map([[FORKS, (what, answered) => answered(ANSWER)]])"


def forking(page):
    """A player whose kernel answers at once: with the run in which its first segment is lost."""
    player = Player(SCENARIOS["lost_fin"])
    told = []
    player._answer(
        SimpleNamespace(send=told.append), {"step": 2, "what": "lose", "end": None, "ask": 1}, None
    )
    shown(page, player)
    page.evaluate(
        FORKED.replace("FORKS", json.dumps(player.run["forks"])).replace(
            "ANSWER", json.dumps(told[0])
        )
    )
    page.focus(SCRUB)
    press(page, *["ArrowRight"] * 3)
    page.click(f"{PLAYER} button:text-is('{say('player_fork_lose')}')")
    return page


@pytest.mark.parametrize("key", ["Enter", "ArrowLeft"])
def test_a_moment_of_a_state_leaves_the_keys_to_the_player(new_page, key):
    """The button goes with the step that it leads to; the focus must not go nowhere."""
    page = shown(new_page(), Player(SCENARIOS["lost_fin"]))
    page.focus(SCRUB)
    press(page, "End")
    page.focus("[data-id=state_TIME_WAIT]")
    press(page, "Enter")
    page.focus(f"{PLAYER} .tcpviz-info button")
    press(page, key)
    assert page.evaluate(FOCUS) == say("player_scrub")


def test_stepping_on_from_a_refutation_leaves_the_keys_to_the_player(new_page):
    """The button that plays it goes with the step."""
    page = shown(new_page(), Player(SCENARIOS["handshake"], questions=[WHAT_IS_SENT]))
    page.focus(SCRUB)
    press(page, *["ArrowRight"] * 4)
    page.check(f"{PLAYER} form input >> nth=0")
    press(page, "Enter")
    page.focus(f"{PLAYER} button:text-is('{say('player_refute')}')")
    press(page, "ArrowRight")
    assert page.evaluate(FOCUS) == say("player_scrub")
    press(page, "ArrowRight")
    assert page.inner_text(f"{PLAYER} .tcpviz-clock").startswith("step 7 of 8")


def test_a_what_if_that_is_not_possible_keeps_the_focus(new_page):
    """Where no segment is, "this segment were lost" is off, and pressing it asks nothing."""
    page = shown(new_page(), Player(SCENARIOS["lost_fin"]))
    page.focus(SCRUB)
    press(page, *["ArrowRight"] * 3)
    lose = page.locator(f"{PLAYER} button:text-is('{say('player_fork_lose')}')")
    lose.focus()
    press(page, "ArrowLeft")
    assert page.evaluate(FOCUS) == say("player_fork_lose")
    assert lose.get_attribute("aria-disabled") == "true"
    press(page, "Enter")
    assert page.inner_text(f"{PLAYER} .tcpviz-forked").strip() == ""
    press(page, "ArrowRight", "Enter")
    assert say("player_fork_apart") in page.inner_text(f"{PLAYER} .tcpviz-forked")


def test_of_a_what_if_one_sentence_is_announced(new_page):
    """The live region says that the run is there; the Player below it is not in one."""
    page = forking(new_page())
    assert page.inner_text(".tcpviz-heard >> nth=0") == say("player_beside")
    assert (
        page.evaluate(
            "document.querySelector('.tcpviz-nested').closest('[aria-live], [role=status]')"
        )
        is None
    )


def test_keys_scroll_the_comparison(new_page):
    """In a narrow page it is a stop of Tab of its own, where arrow keys scroll and step nothing."""
    page = forking(new_page(viewport={"width": 700, "height": 1000}))
    assert violations(page) == []
    before = page.inner_text(f"{PLAYER} .tcpviz-clock >> nth=0")
    page.focus(".tcpviz-beside")
    press(page, *["ArrowRight"] * 3)
    page.wait_for_function("document.querySelector('.tcpviz-beside').scrollLeft > 0")
    assert page.inner_text(f"{PLAYER} .tcpviz-clock >> nth=0") == before


def test_axe_finds_nothing_serious_in_a_refutation(new_page):
    """The run that refutes an answer stands in the same page, a narrow one."""
    page = shown(new_page(viewport={"width": 700, "height": 1000}), asking_player())
    page.focus(SCRUB)
    press(page, *["ArrowRight"] * 5, " ", "Enter")
    page.click(f"{PLAYER} button:text-is('{say('player_refute')}')")
    assert violations(page) == []


def test_a_veiled_state_does_not_tell(new_page):
    """In a run that refutes, a state tells nothing of later while a question waits."""
    page = shown(new_page(), asking_player())
    page.focus(SCRUB)
    press(page, *["ArrowRight"] * 5, " ", "Enter")
    page.click(f"{PLAYER} button:text-is('{say('player_refute')}')")
    press(page, "Home")
    page.click(f"{PLAYER} {PLAYER} [data-id=state_ESTABLISHED]")
    told = page.inner_text(f"{PLAYER} {PLAYER} .tcpviz-info")
    assert say("player_not_yet", state="ESTABLISHED") in told


def test_what_lies_under_the_veil_is_not_to_be_found(new_page):
    """No time on the axis below, no wait left out, while a question stands above it."""
    page = shown(new_page(), Player(SCENARIOS["lost_fin"], questions=["duration"]))
    page.focus(SCRUB)
    press(page, "End")
    pane = page.locator(f"{PLAYER} .tcpviz-pane")
    assert "1.35 s" in pane.inner_text()
    assert "1.5 s" not in pane.inner_text()
    assert "59.8 s not drawn" not in pane.inner_text()
    page.uncheck(f"{PLAYER} input[type=checkbox]")
    assert "59.8 s not drawn" in pane.inner_text()


@pytest.mark.parametrize("width", [500, 1300])
def test_axe_finds_nothing_serious(new_page, width):
    """At the start, in the midst, with a question, with its answer and with a state's history."""
    page = shown(new_page(viewport={"width": width, "height": 1000}), asking_player())
    assert violations(page) == []
    page.focus(SCRUB)
    press(page, *["ArrowRight"] * 5)
    assert violations(page) == []
    press(page, " ", "Enter")
    assert violations(page) == []
    page.click("[data-id=state_SYN_SENT]")
    assert violations(page) == []


def test_axe_finds_what_is_planted(new_page):
    """A check that cannot fail says nothing."""
    page = shown(new_page(), Player(simulate(SCENARIOS["handshake"])))
    page.evaluate("document.querySelector('.tcpviz-bar button').removeAttribute('aria-label')")
    page.evaluate("document.querySelector('.tcpviz-bar button').removeAttribute('title')")
    assert [name for _, name, _ in violations(page)] == ["button-name"]


# -- notebooks, wherever they are shown ------------------------------------------------------------


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Notebooks with players, run and stored as the course's are: one to trust, one not, ..."""
    folder = tmp_path_factory.mktemp("notebooks")
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in CELLS]
    )
    nbformat.write(notebook, folder / "trusted.ipynb")
    shutil.copy(folder / "trusted.ipynb", folder / "again.ipynb")
    shutil.copy(ROOT / "notebooks" / "build.py", folder)
    subprocess.run([sys.executable, folder / "build.py"], check=True, capture_output=True)
    stored = json.loads((folder / "trusted.ipynb").read_text("utf-8"))
    stored["cells"][0]["source"] += "  # trust is in the content, not in the file's name"
    (folder / "untrusted.ipynb").write_text(json.dumps(stored), "utf-8")
    # For a language nobody has, JupyterLab asks which kernel to take.
    unknown = {"display_name": "Unknown", "language": "unknown", "name": "unknown"}
    stored["metadata"] = {"kernelspec": unknown, "language_info": {"name": "unknown"}}
    (folder / "no_kernel.ipynb").write_text(json.dumps(stored), "utf-8")
    return folder


@pytest.fixture(scope="module")
def lab(folder, home):
    """A JupyterLab in which all but one of the notebooks are trusted; the address of a notebook."""
    trusted = [folder / "trusted.ipynb", folder / "no_kernel.ipynb"]
    command = [sys.executable, "-m", "jupyter", "trust", *trusted]
    subprocess.run(command, env=environment(home), capture_output=True, check=True)
    with jupyterlab(folder, home, "NAME") as address:
        yield lambda name: address.replace("NAME", f"{name}.ipynb")


def opened(page, address):
    page.set_viewport_size(ALL_OF_IT)
    page.goto(address)
    page.wait_for_selector(CODE, timeout=60 * SECOND)
    return page


def test_lab_trusted_and_reopened(new_page, lab):
    """Nothing has run, and the players step; both views of the one object, each for itself."""
    page = opened(new_page(), lab("trusted"))
    steps_by_keys(page)
    prompts = page.eval_on_selector_all(f"{CODE} .jp-InputPrompt", "all => all.length")
    assert prompts == len(CELLS)
    assert page.inner_text(f":nth-match({PLAYER}, 2) .tcpviz-clock").startswith("step 0")


def test_lab_untrusted(new_page, lab, tmp_path):
    """A clone that nobody trusts shows both pictures with alt, and no trace of a script."""
    page = opened(new_page(), lab("untrusted"))
    images = f"{CODE} .jp-OutputArea-output img"
    with suppress(TooLate):
        page.wait_for_function(f"document.querySelectorAll('{images}').length === 8")
    found = page.eval_on_selector_all(images, "all => all.map(i => [i.alt, i.naturalWidth > 0])")
    assert [(alt.split()[0], drawn) for alt, drawn in found] == [
        ("Sequence", True),
        ("State", True),
    ] * 4
    assert not page.query_selector(PLAYER)
    told = page.inner_text(f":nth-match({CODE}, 2) .jp-OutputArea-output")
    assert "{" not in told
    page.screenshot(path=tmp_path / "untrusted.png")


def test_lab_no_kernel(new_page, lab):
    """With "No Kernel" the trusted notebook steps as well."""
    page = opened(new_page(), lab("no_kernel"))
    page.click(".jp-Dialog button:has-text('No Kernel')")
    steps_by_keys(page)


def test_lab_run(new_page, lab):
    """Run anew, by a reader: the cells give players that step."""
    page = opened(new_page(), lab("untrusted"))
    page.wait_for_function(KERNEL_IS_READY, timeout=60 * SECOND)
    page.evaluate("jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
    page.evaluate("void jupyterapp.commands.execute('notebook:run-all-cells')")
    page.wait_for_selector(PLAYER, timeout=60 * SECOND)
    page.wait_for_function(  # JupyterLab takes the focus when it is done
        f"[...document.querySelectorAll('{CODE} .jp-InputPrompt')]"
        ".every(prompt => /\\[\\d+\\]/.test(prompt.textContent))"
    )
    page.wait_for_function(f"document.querySelectorAll('{PLAYER}').length === 4")
    page.click(f"{PLAYER} .tcpviz-clock")
    steps_by_keys(page)
    forks(page, lambda told: "lost_fin: SYN of 0 ms lost" in told)
    beside = page.query_selector(".tcpviz-beside svg")
    assert "from client, at 0 ms: delivered left, lost right" in beside.get_attribute("aria-label")
    axis = beside.query_selector_all("text:text-is('1 s')")
    assert len(axis) == 1  # one axis for both runs


def test_lab_saved_and_reopened(new_page, lab):
    """What a reader has run, saved and opened again still steps, the panel too; no errors."""
    page = opened(new_page(), lab("again"))
    page.wait_for_function(KERNEL_IS_READY, timeout=60 * SECOND)
    page.evaluate("void jupyterapp.commands.execute('notebook:run-all-cells')")
    page.wait_for_function(f"document.querySelectorAll('{PLAYER}').length === 4")
    page.evaluate("jupyterapp.commands.execute('docmanager:save')")
    page.evaluate("jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    page = opened(new_page(), lab("again"))
    page.wait_for_function(f"document.querySelectorAll('{PLAYER}').length === 4")
    steps_by_keys(page)
    chooses(page)
    assert "Error" not in page.inner_text(".jp-NotebookPanel")


def test_lab_fork_of_an_end(new_page, lab):
    """What if an end crashed is asked of that end."""
    page = opened(new_page(), lab("again"))
    page.wait_for_function(KERNEL_IS_READY, timeout=60 * SECOND)
    page.evaluate("void jupyterapp.commands.execute('notebook:run-all-cells')")
    page.wait_for_function(f"document.querySelectorAll('{PLAYER}').length === 4")
    for end in ("client", "server"):
        asked = say("player_fork_crash", end=end)
        forks(page, lambda told, end=end: f"{end} crashes at 0 ms" in told, asked)


def forks(page, answered, asked=None):
    """Ask what if the SYN were lost, or something else, and wait for an answer."""
    last = page.query_selector_all(PLAYER)[2]
    last.query_selector("input[type=range]").focus()
    press(page, "Home", "ArrowRight", "ArrowRight", "ArrowRight")
    last.query_selector(f"button:text-is('{asked or say('player_fork_lose')}')").click()
    for _ in range(100):
        page.wait_for_timeout(100)
        told = page.query_selector(".tcpviz-forked:has(> .tcpviz-heard:not(:empty))")
        if told and answered(told.inner_text()):
            return told
    return pytest.fail("no answer")


def test_lab_fork_without_a_kernel(new_page, lab):
    """Where no kernel is, a what-if says what to do."""
    page = opened(new_page(), lab("no_kernel"))
    page.click(".jp-Dialog button:has-text('No Kernel')")
    page.wait_for_function(f"document.querySelectorAll('{PLAYER}').length === 4")
    forks(page, lambda told: say("player_fork_alone") in told)


BRIDGED = """
(kernel) => {
  const model = {
    on: () => {}, off: () => {}, get: () => "one", send: (what) => (window.sent = what),
    widget_manager: kernel === undefined ? undefined : { kernel },
  };
  window.kernel = kernel;
  const address = URL.createObjectURL(new Blob([BRIDGE], {type: "text/javascript"}));
  return import(address).then(({default: bridge}) => {
    bridge.initialize({model});
    window.answers = [];
    tcpvizAsks.get("one")({what: "lose"}, (message) => answers.push(message));
    return answers.length;
  });
}
"""


@pytest.mark.parametrize(
    ("kernel", "at_once", "later"),
    [
        ("null", 1, 1),
        ("{status: 'dead'}", 1, 1),
        ("{status: 'idle', isDisposed: true}", 1, 1),
        ("{status: 'idle'}", 0, 1),
        ("{status: 'busy'}", 0, 0),
        ("undefined", 0, 1),
    ],
)
def test_how_long_a_kernel_is_waited_for(new_page, kernel, at_once, later):
    """One that is gone not at all, a silent one for 2 s, a busy one until it answers."""
    page = new_page()
    page.goto("about:blank")
    page.clock.install()
    ask = BRIDGED.replace("BRIDGE]", f"{json.dumps(BRIDGE)}]")
    assert page.evaluate(f"({ask})({kernel})") == at_once
    page.clock.run_for(1900)
    assert page.evaluate("answers.length") == at_once
    page.clock.run_for(200)
    assert page.evaluate("answers.length") == later
    page.evaluate("if (window.kernel?.status === 'busy') window.kernel.status = 'idle'")
    page.clock.run_for(2000)
    assert page.evaluate("answers.map(message => message.run)") == [None]


def test_a_kernel_that_was_restarted_is_told_of_at_once(new_page):
    """Its models cannot send any more and raise: an answer too, and no error in the page."""
    page = new_page()
    page.goto("about:blank")
    ask = BRIDGED.replace("BRIDGE]", f"{json.dumps(BRIDGE)}]")
    cannot = ask.replace(
        "(what) => (window.sent = what)", "() => { throw new Error('Cannot send'); }"
    )
    assert cannot != ask
    assert page.evaluate(f"({cannot})({{status: 'idle'}})") == 1


def test_lab_fork_where_the_kernel_was_shut_down(new_page, lab):
    """The page knows it and says what to do at once, not after a wait."""
    page = opened(new_page(), lab("again"))
    page.wait_for_function(KERNEL_IS_READY, timeout=60 * SECOND)
    page.evaluate("void jupyterapp.commands.execute('notebook:run-all-cells')")
    page.wait_for_function(f"document.querySelectorAll('{PLAYER}').length === 4")
    forks(page, lambda told: "lost_fin: SYN of 0 ms lost" in told)
    page.evaluate("jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    page.wait_for_function("!jupyterapp.shell.currentWidget.sessionContext.session")
    page.click(f":nth-match({PLAYER}, 3) button:text-is('{say('player_fork_lose')}')")
    assert say("player_fork_alone") in page.inner_text(
        ".tcpviz-forked:has(> .tcpviz-heard:not(:empty))"
    )


def test_lab_dark(new_page, lab, tmp_path):
    """In JupyterLab's dark theme all text keeps its contrast."""
    page = opened(new_page(), lab("trusted"))
    page.wait_for_selector(PLAYER, timeout=60 * SECOND)
    page.evaluate(
        "jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})"
    )
    page.wait_for_selector("[data-jp-theme-light=false]", state="attached")
    page.focus(SCRUB)
    press(page, *["ArrowRight"] * 14)
    page.wait_for_timeout(500)
    page.screenshot(path=tmp_path / "dark.png")
    assert violations(page) == []


def test_lab_keeps_its_own_keys(new_page, lab):
    """Outside the player the arrows are JupyterLab's: they go from cell to cell."""
    page = opened(new_page(), lab("trusted"))
    steps_by_keys(page)
    active = "jupyterapp.shell.currentWidget.content.activeCellIndex"
    page.click(f":nth-match({CODE}, 1) .jp-InputPrompt")
    at = page.evaluate(active)
    press(page, "ArrowDown")
    assert page.evaluate(active) == at + 1


def test_nbconvert_offline(new_page, folder):
    """An exported HTML file steps from the disk with every request to the outside blocked.

    Asked what if, it says that this takes Jupyter, and not to run a cell.
    """
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "trusted.ipynb"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    page = new_page(viewport=ALL_OF_IT)
    page.goto((folder / "trusted.html").as_uri())
    steps_by_keys(page)
    assert page.inner_text(f":nth-match({PLAYER}, 2) .tcpviz-clock").startswith("step 0")
    forks(page, lambda told: say("player_fork_apart") in told)  # no cell can be run there


def test_nbconvert_executed_offline(new_page, folder, home):
    """The same of a notebook that nobody has run, exported by `nbconvert --execute`."""
    path = folder / "plain.ipynb"
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    command = [sys.executable, "-m", "nbconvert", "--execute", "--to", "html", path.name]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    page = new_page(viewport=ALL_OF_IT)
    page.goto(path.with_suffix(".html").as_uri())
    steps_by_keys(page)
    assert len(page.query_selector_all(PLAYER)) == 4
    chooses(page)


def chooses(page):
    """The choices of the panel change its run, with no kernel."""
    told = "document.querySelector('.tcpviz-panel + div pre').textContent"
    before = page.evaluate(told)
    page.select_option(".tcpviz-panel select", label="server")
    assert page.evaluate(told) != before
    assert "server: 2MSL expires" in page.evaluate(told)


def test_a_poster_without_its_data_stays_a_picture(new_page):
    """Of an untrusted output the data are taken out; the script may run there for another one."""
    page = new_page()
    html = Player(simulate(SCENARIOS["handshake"])).html()
    bare = re.sub(r'<script type="application/json">.*?</script>', "", html, flags=re.DOTALL)
    page.set_content(f"<!doctype html><main>{bare}{html}</main>")
    page.wait_for_selector(PLAYER)
    page.wait_for_timeout(300)
    assert page.evaluate(f"document.querySelectorAll('{PLAYER}').length") == 1
    assert page.is_visible(".tcpviz-poster-1 img")


def test_what_can_be_lost_is_what_the_run_sends(new_page):
    """Of a ready panel's losses the page offers those of the run that the other choice makes."""
    page = new_page()
    html = panel(SCENARIOS["open_and_close"], "closer", "lose").html()
    page.set_content(f"<!doctype html><main>{html}</main>")
    page.wait_for_selector(PLAYER)
    offered = """() => [...document.querySelectorAll(".tcpviz-panel select")[1].options]
      .filter(option => !option.disabled && !option.hidden).map(option => option.label)"""
    select = ".tcpviz-panel select >> nth={}".format
    fin = "FIN,ACK of the client"
    assert fin in page.evaluate(offered)
    page.select_option(select(1), label=fin)
    pre = f"{PLAYER} .tcpviz-text pre"
    assert "lost" in page.text_content(pre)
    page.select_option(select(0), label="nobody")
    assert page.evaluate(offered) == [
        "nothing",
        "SYN of the client",
        "SYN,ACK of the server",
        "ACK of the client",
    ]
    assert "lost" not in page.text_content(pre)
    page.select_option(select(0), label="client")
    assert fin in page.evaluate(offered)


def test_voila(new_page, folder, home):
    """Voila shows players that step."""
    with voila(folder / "trusted.ipynb", home) as address:
        page = new_page()
        page.goto(address, timeout=60 * SECOND)
        steps_by_keys(page)


def test_a_player_waits_until_it_is_seen(new_page):
    """Of twenty in a page those in view are live; the others are pictures until one goes there."""
    page = new_page()
    html = Player(simulate(SCENARIOS["handshake"])).html()
    page.set_content(f"<!doctype html><main>{html * 20}</main>")
    page.wait_for_selector(PLAYER)
    page.wait_for_timeout(500)
    live = len(page.query_selector_all(PLAYER))
    assert 1 <= live < 5
    posters = page.query_selector_all(".tcpviz-poster-1")
    assert len(posters) == 20
    posters[-1].scroll_into_view_if_needed()
    page.wait_for_function(f"document.querySelectorAll('{PLAYER}').length > {live}")
    assert not posters[-1].is_visible()
    assert posters[9].query_selector("img").get_attribute("alt")


def test_print(new_page):
    """On paper there is the whole run: nothing veiled, nothing to press."""
    page = shown(new_page(), Player(simulate(SCENARIOS["lost_fin"])))
    page.emulate_media(media="print")
    assert not page.is_visible(f"{PLAYER} .tcpviz-bar")
    assert not page.is_visible(f"{PLAYER} .tcpviz-veil")
    opacities = page.eval_on_selector_all(
        f"{PLAYER} .flight", "all => all.map(part => getComputedStyle(part).opacity)"
    )
    assert set(opacities) == {"1"}
