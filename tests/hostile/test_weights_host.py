"""A weights host, or an impostor, may send anything: every download ends with the file or with a one-sentence error."""

import hashlib
import os
import socket
import threading
import time

import pytest

from resnet_demo.errors import InputError
from resnet_demo.zoo import fetching
from resnet_demo.zoo.fetching import LEAST_RATE, LEAST_SECONDS, fetch

pytestmark = pytest.mark.usefixtures("own_folders")

BODY = bytes(range(256)) * 4000
HASH = hashlib.sha256(BODY).hexdigest()
OK = b"HTTP/1.1 200 OK\r\n"


class Host:
    """Answers every connection with the pieces of `answer`, over and over if `endless`, `pause` seconds apart."""

    def __init__(self, *answer, endless=False, pause=0.0):
        self.answer, self.endless, self.pause = answer, endless, pause
        self.sent = 0

    def __enter__(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.server.getsockname()[1]}/weights.pth"
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *error):
        self.server.close()

    def _serve(self):
        try:
            while True:
                connection, _ = self.server.accept()
                with connection:
                    connection.recv(65536)
                    self._send(connection)
        except OSError:
            pass

    def _send(self, connection):
        try:
            for piece in self.answer:
                connection.sendall(piece)
            while self.endless:
                time.sleep(self.pause)
                connection.sendall(self.answer[-1])
                self.sent += len(self.answer[-1])
        except OSError:
            pass


@pytest.fixture
def refused(tmp_path, assert_clear_sentence):
    """The error message of a fetch; asserts that no file is accepted."""

    def refused(host, **options):
        path = tmp_path / "cache" / "weights.pth"
        started = time.monotonic()
        with pytest.raises(InputError, match=r"^weights\.pth could not be downloaded") as caught:
            fetch(host.url, path, HASH, **options)
        assert time.monotonic() - started < 10
        message = str(caught.value)
        assert_clear_sentence(message, paths=[path.parent])
        assert message.isprintable()
        assert not path.exists()
        with Host(OK + b"Content-Length: %d\r\n\r\n" % len(BODY), BODY) as honest:
            assert fetch(honest.url, path, HASH).read_bytes() == BODY
        return message

    return refused


@pytest.mark.parametrize("length", [b"abc", b"-5", b"1e3", b"9" * 5000, b"\xb2", b"", b"0x10"])
def test_a_length_that_is_no_number(refused, length):
    with Host(OK + b"Content-Length: " + length + b"\r\n\r\n", BODY) as host:
        assert "the server announces" in refused(host)


def test_a_length_that_the_file_does_not_have(refused):
    with Host(OK + b"Content-Length: 99000000000\r\n\r\n", BODY) as host:
        assert "99,000,000,000 bytes" in refused(host, size=len(BODY))


@pytest.mark.parametrize("form", ["plain", "chunked"])
def test_an_endless_body_ends_soon_after_the_size(refused, tmp_path, monkeypatch, form):
    block = bytes(100_000)
    head = {"plain": b"\r\n", "chunked": b"Transfer-Encoding: chunked\r\n\r\n"}[form]
    piece = block if form == "plain" else b"186a0\r\n" + block + b"\r\n"
    monkeypatch.setattr(fetching, "SLACK_BYTES", 10_000)
    with Host(OK + head, piece, endless=True) as host:
        assert "does not stop sending" in refused(host, size=len(BODY))
        assert host.sent < 20_000_000


def test_an_endless_body_of_unknown_size_ends_too(refused, monkeypatch):
    monkeypatch.setattr(fetching, "MOST_BYTES", 1_500_000)
    with Host(OK + b"\r\n", bytes(100_000), endless=True) as host:
        assert "does not stop sending" in refused(host)


def test_a_trickling_body_ends(refused, monkeypatch):
    monkeypatch.setattr(fetching, "LEAST_SECONDS", 0.5)
    monkeypatch.setattr(fetching, "LEAST_RATE", 10_000_000)
    with Host(OK + b"Content-Length: %d\r\n\r\n" % len(BODY), b"\0", endless=True, pause=0.02) as host:
        assert "had not arrived after" in refused(host, size=len(BODY))


def test_a_trickling_header_ends(refused, monkeypatch):
    monkeypatch.setattr(fetching, "TIMEOUT_SECONDS", 0.5)
    with Host(OK + b"X-Long: ", b"x", endless=True, pause=0.02) as host:
        assert "there was no answer after" in refused(host)


def test_a_redirection_with_an_endless_body_is_not_read(refused, monkeypatch):
    monkeypatch.setattr(fetching, "TIMEOUT_SECONDS", 2)
    with Host(b"HTTP/1.1 404 Gone\r\n\r\n") as other:
        answer = f"HTTP/1.1 302 Found\r\nLocation: {other.url}\r\n\r\n".encode()
        with Host(answer, bytes(1_000_000), endless=True) as host:
            assert "(Gone)" in refused(host)
            assert host.sent < 20_000_000


@pytest.mark.parametrize("address", ["http://a..b/x", f"http://{'a' * 70}.example/x", "http://[::1/x"])
def test_a_redirection_to_what_is_no_address(refused, address):
    with Host(f"HTTP/1.1 302 Found\r\nLocation: {address}\r\n\r\n".encode()) as host:
        assert "redirects to what is no address" in refused(host)


@pytest.mark.parametrize("line", [b"HTTP/1.1 500 \x1b[2J\x07\x9b31mno\r\n\r\n", b"\x1b]0;mine\x07" * 100 + b"\r\n\r\n"])
def test_strange_signs_of_a_server_are_spelled_out_and_few(refused, line):
    with Host(line) as host:
        message = refused(host)
    assert r"\x1b" in message
    assert len(message) < 700


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system cannot play a full disk")  # noqa: PTH110
def test_a_full_disk_is_a_sentence(tmp_path, assert_clear_sentence):
    path = tmp_path / "cache" / "weights.pth"
    path.parent.mkdir()
    path.with_name("weights.pth.partial").symlink_to("/dev/full")
    with (
        Host(OK + b"Content-Length: %d\r\n\r\n" % len(BODY), BODY) as host,
        pytest.raises(InputError, match=r"\(No space left on device\): check the connection and the disk") as caught,
    ):
        fetch(host.url, path, HASH)
    assert_clear_sentence(str(caught.value), paths=[path.parent])
    assert not path.exists()


def test_a_slow_connection_has_time_for_the_largest_file():
    assert 340e6 / LEAST_RATE > 2 * 340e6 / (1e6 / 8)
    assert LEAST_SECONDS >= 60
