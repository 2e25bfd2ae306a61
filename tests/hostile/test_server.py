"""The running page under attack: no input of a client is trusted, and errors are one sentence."""

import json
import re
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path

import pytest

from benchmarks.soak import soak
from benchmarks.visitors import every_request
from resnet_demo.images import EXAMPLES, MAX_BYTES
from resnet_demo.ui.sentences import ELSEWHERE, GONE, LOST, MISFIT, TOO_LARGE
from tests.page_server import ROOT

from .client import analyze, call, event_of, form, join, photo, post, request, upload, visit
from .visitors import BAD, CLIENTS, EVENT_DATA, Page, Visitors

CAT = EXAMPLES / "cat.jpg"


@pytest.fixture(scope="module")
def url(server):
    return server.url


@pytest.fixture(scope="module")
def cat(url):
    return upload(url, CAT.read_bytes())


@pytest.fixture(scope="module")
def visitors(url):
    """Whoever sends one bad thing after the other."""
    return Visitors(url)


@pytest.fixture(scope="module")
def page(url):
    return Page(url)


@pytest.mark.parametrize("name", BAD)
def test_every_event_answers_anything_with_a_result_or_one_sentence(url, server, page, visitors, name):
    def answered(numbered):
        number, event = numbered
        data, sent = EVENT_DATA[number % len(EVENT_DATA)], [BAD[name]] * len(event["inputs"])
        with visitors.one() as session:
            return event, call(url, event["id"], sent, session, event_data=data, trigger_id=number)

    assert len(page.events) > 50
    # In place of no inputs, all bad things are the same.
    asked = [(i, event) for i, event in enumerate(page.events) if event["inputs"] or name == "nothing"]
    with ThreadPoolExecutor(CLIENTS) as clients:
        for event, answer in clients.map(answered, asked):
            assert_answered(answer, event)
            assert "x" * 101 not in answer.get("error", "")
    assert server.trouble() == []


def assert_answered(answer, case):
    """A result or one sentence."""
    assert "data" in answer or re.fullmatch(r"[^\n]{10,600}[.]", answer["error"]), (case, answer)


def test_one_odd_input_among_good_ones_is_a_result_or_one_sentence(url, server, page, cat):
    visitors = page.explored(upload(url, (EXAMPLES / "rocket.jpg").read_bytes()))

    def answered(case):
        event, odd, sent = case
        values = [sent if i == odd else value for i, value in enumerate(page.good(event, cat))]
        with visitors.one() as session:
            return case, page.ask(event, values, session)

    # A race trains for its seconds, and a step that waits for others has its own tests.
    asked = [event for event in page.events if event["inputs"] and event["api_name"] != "_race"]
    odd_ones, cases = cycle(("odd", None, 7)), []
    for event in asked:
        odd_inputs = [i for i, number in enumerate(event["inputs"]) if not page.is_state(number)]
        cases += [(event, None, None), *((event, odd, next(odd_ones)) for odd in odd_inputs)]
    good = []
    with ThreadPoolExecutor(CLIENTS) as clients:
        for case, answer in clients.map(answered, cases):
            assert_answered(answer, case)
            if case[1] is None:
                good.append((case[0], answer))
    # Most good values are answered, and a few set only States: otherwise nothing would have looked at the odd one.
    unanswered = [event["api_name"] for event, answer in good if not page.changes(event, answer)]
    assert len(unanswered) < 0.2 * len(good), unanswered
    assert server.trouble() == []


def test_an_event_with_too_few_inputs_is_one_sentence(url, page, visitors):
    for event in page.events:
        if event["inputs"]:
            with visitors.one() as session:
                assert call(url, event["id"], [], session)["error"] == MISFIT


FOREIGN = (
    "app.py",
    ".git/config",
    "README.md",
    str(ROOT / "app.py"),
    "/etc/passwd",
    "/dev/zero",
    "/etc",
    "/nowhere",
    "~",
)


def test_no_event_takes_a_path_that_is_not_an_upload(url, page, visitors):
    """The same message for all of them, so that it does not reveal which files exist."""
    asked = [event for event in page.events if event["inputs"]]
    public = [event for event in asked if event["api_name"] in ("analyze", "compare", "_show")]
    cases = [(event, {"path": "app.py"}) for event in asked]
    cases += [(event, sent) for event in public for path in FOREIGN for sent in ({"path": path}, photo(path))]

    def answered(case):
        event, sent = case
        with visitors.one() as session:
            return call(url, event["id"], [sent] * len(event["inputs"]), session)

    with ThreadPoolExecutor(CLIENTS) as clients:
        answers = clients.map(answered, cases)
        assert [case for case, answer in zip(cases, answers, strict=True) if answer != GONE_ANSWER] == []


@pytest.mark.parametrize("path", FOREIGN)
def test_no_click_carries_a_path(url, server, path):
    answer = call(url, event_of(url, "_picked"), [], visit(url), event_data={"key": {"path": path}})
    assert answer == GONE_ANSWER
    assert server.trouble() == []


GONE_ANSWER = {"error": GONE, "duration": 10, "visible": True, "title": "Error"}


def test_a_link_among_the_uploads_leads_nowhere(url, cat):
    link = Path(cat).with_name("link.jpg")
    link.symlink_to(ROOT / "resnet_demo" / "examples" / "cat.jpg")
    assert analyze(url, str(link)) == GONE_ANSWER
    assert "data" in analyze(url, cat)


def test_nothing_that_was_sent_comes_back_as_a_file(url, page, cat):
    """No answer of any event to a valid photo names a file of the server, except for the examples; and for that very
    photo, which follows its visitor to other tabs, and which their browser is to remember."""
    visitors = page.explored(cat)
    for event in page.events:
        if event["api_name"] == "_race":
            continue
        with visitors.one() as session:
            answer = page.ask(event, page.good(event, cat), session)
        assert "app.py" not in json.dumps(answer)
        kinds = [page.components[number]["type"] for number in event["outputs"]]
        answered = zip(kinds, answer.pop("data", [None] * len(kinds)), strict=True)
        others = [value for kind, value in answered if kind not in ("image", "browserstate")]
        assert cat not in json.dumps([answer, others])


@pytest.mark.parametrize(
    ("event", "inputs"),
    [
        ("compare", ["highway1202-C.untrained", "preresnet1202-B.untrained", ""]),
        ("compare", ["resnext101_64x4d.untrained", "resnet152.untrained", ""]),
        ("analyze", ["resnext101_32x8d.untrained", "", "", "bfloat16"]),
    ],
)
def test_what_would_take_too_long_together_is_refused(url, cat, event, inputs):
    assert "would take too long" in call(url, event_of(url, event), [photo(cat), *inputs])["error"]


def test_a_page_that_the_server_does_not_remember_is_told_to_reload(url, page, cat):
    """Its States would have their first values: the default network, beside pickers that say another."""
    shows = [event for event in page.events if event["api_name"].startswith("_show")]
    reading = [event for event in shows if any(map(page.is_state, event["inputs"]))]
    assert len(reading) >= 3
    session = visit(url)
    for event in reading:
        assert call(url, event["id"], page.good(event, cat))["error"] == LOST
        assert page.changes(event, call(url, event["id"], page.good(event, cat), session))


def test_gradient_flows_are_bounded_together(url):
    flows = event_of(url, "gradient_flow")
    for names in (["plain110", "resnet110"], ["resnet20"] * 7):
        assert re.search("at most (120|6)", call(url, flows, [",".join(names)])["error"])


def test_the_queue_cannot_be_gone_around(url, cat):
    data = [photo(cat), "resnet20.cifar10", "", "", "float32"]
    for path in ("/gradio_api/run/analyze", "/gradio_api/api/analyze"):
        status, _ = post(url, path, {"data": data})
        assert status == 404
    assert "data" in analyze(url, cat)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'{"data": 7}', b"\xff\xfe", b'{"data":' + b"[" * 100_000],
)
@pytest.mark.parametrize("path", ["/gradio_api/call/analyze", "/gradio_api/queue/join", "/gradio_api/run/predict"])
def test_a_malformed_request_is_one_sentence(url, path, body):
    status, text = request(url, path, body, {"Content-Type": "application/json"})
    assert 400 <= status < 500
    values = json.loads(text)
    assert isinstance(values.get("error") or values["detail"], str)
    assert len(text) < 500


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("/gradio_api/queue/join", {"data": [], "fn_index": 99_999, "session_hash": "s"}),
        ("/gradio_api/run/predict", {"data": [], "fn_index": -5, "session_hash": "s"}),
        ("/gradio_api/call/nothing", {"data": []}),
        ("/gradio_api/call/v2/nothing", {"image": 1}),
        ("/gradio_api/call/v2/analyze", {"pictures": 1}),
        ("/gradio_api/component_server", {"fn_name": "x", "component_id": 1, "data": None, "session_hash": "s"}),
        ("/gradio_api/process_recording", {}),
    ],
)
def test_what_does_not_exist_is_one_sentence(url, path, values):
    status, answer = post(url, path, values)
    assert 400 <= status < 500
    assert answer["error"] == MISFIT


def test_a_large_request_is_refused_whether_it_says_so_or_not(url):
    status, answer = post(url, "/gradio_api/queue/join", {"data": ["x" * 2_000_000]})
    assert (status, answer["error"]) == (413, TOO_LARGE)
    host, port = url.removeprefix("http://").split(":")
    # A client that begins to send that much might be cut off before it has read the answer: this one only announces it.
    with socket.create_connection((host, int(port)), timeout=30) as client:
        lines = ["POST /gradio_api/upload HTTP/1.1", "Host: 127.0.0.1", "Connection: close"]
        lines.append(f"Content-Length: {MAX_BYTES + 2_000_000}")
        client.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = client.makefile("rb").read().decode()
    assert answer.startswith("HTTP/1.1 413 ")
    assert answer.endswith(TOO_LARGE)
    with socket.create_connection((host, int(port)), timeout=30) as client:
        client.sendall(b"POST /gradio_api/queue/join HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            for _ in range(40):
                client.sendall(b"10000\r\n" + b" " * 65536 + b"\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass
        else:
            assert client.recv(12) in (b"HTTP/1.1 413", b"HTTP/1.1 400")


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:7860", "127.0.0.1.evil.example", "", "demo.example.evil"]
)
def test_on_loopback_no_other_name_leads_here(url, host):
    assert request(url, "/", headers={"Host": host})[0] == 400
    assert request(url, "/gradio_api/upload", *form(b"x", Host=host))[0] == 400


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "https://huggingface.co",
        "http://localhost.evil:1",
        "https://demo.example.evil",
        "http://localhost:1",
        "http://[",
    ],
)
def test_other_pages_cannot_send_anything(url, origin):
    forwarded = {"Origin": origin, "X-Forwarded-Host": origin.removeprefix("http://")}
    assert request(url, "/gradio_api/upload", *form(b"x", **forwarded)) == (403, ELSEWHERE)
    assert request(url, "/gradio_api/upload", *form(b"x", Origin=origin)) == (403, ELSEWHERE)
    status, answer = post(url, "/gradio_api/queue/join", {"data": []}, Origin=origin)
    assert (status, answer["error"]) == (403, ELSEWHERE)


def test_its_own_page_and_programs_can_send(url):
    """And the page by the name that a proxy gives it."""
    for origin in ({"Origin": url}, {}):
        assert request(url, "/gradio_api/upload", *form(b"x", **origin))[0] == 200
    port = url.rpartition(":")[2]
    own = {"Origin": f"http://localhost:{port}", "Host": f"localhost:{port}"}
    assert request(url, "/gradio_api/upload", *form(b"x", **own))[0] == 200
    proxied = {"Origin": "https://demo.example", "Host": f"127.0.0.1:{port}"}
    assert request(url, "/gradio_api/upload", *form(b"x", **proxied))[0] == 200
    assert request(url, "/", headers={"Host": "demo.example"})[0] == 200


def test_a_hang_up_in_the_middle_of_an_upload_leaves_no_trace_in_the_log(url, server):
    host, port = url.removeprefix("http://").split(":")
    body, headers = form(bytes(1_000_000))
    for _ in range(3):
        with socket.create_connection((host, int(port)), timeout=30) as client:
            lines = ["POST /gradio_api/upload HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
            lines += [f"{name}: {value}" for name, value in headers.items()]
            client.sendall("\r\n".join([*lines, "", ""]).encode() + body[:300_000])
    time.sleep(1)
    assert server.trouble() == []


def test_sessions_that_hang_up_disturb_nobody(url, cat, server):
    """The stream of answers is closed at once: the server continues for others and logs nothing."""
    host, port = url.removeprefix("http://").split(":")
    for i in range(4):
        join(url, event_of(url, "analyze"), [photo(cat), "resnet56.cifar10", "", "", "float32"], f"gone-{i}")
        with socket.create_connection((host, int(port)), timeout=30) as client:
            client.sendall(
                f"GET /gradio_api/queue/data?session_hash=gone-{i} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
            )
    assert "data" in analyze(url, cat)
    assert server.trouble() == []


def test_a_full_queue_says_so(url, cat):
    event, data = event_of(url, "analyze"), [photo(cat), "resnet18.untrained", "", "", "float32"]
    # All of one session: to make another one, the server would take as long as for an analysis.
    answers = [join(url, event, data, "full") for _ in range(80)]
    refused = [answer for status, answer in answers if status != 200]
    assert refused
    assert all("Queue is full" in answer["detail"] for answer in refused)
    for status, answer in answers:
        if status == 200:
            waiting = {"session_hash": "full", "fn_index": event, "event_id": answer["event_id"]}
            post(url, "/gradio_api/cancel", waiting)
    assert "data" in analyze(url, cat)


@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
def test_sixteen_clients_get_right_answers_and_leave_nothing(server):
    """The soak benchmark for eight seconds, with one photo for each of its networks."""
    report = soak(seconds=8, clients=16, requests=every_request()[::8], page=(server.url, server.process.pid))
    assert report.faults == {}
    assert report.outcomes["valid", "right"] > 0  # Their number depends on the machine.
    assert report.megabytes[-1] - report.megabytes[0] < 300
    assert report.files[-1] - report.files[0] < 20
