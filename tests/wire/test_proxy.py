"""The proxy between a client and an echoing server, over real sockets: what each mode lets through."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from sim.modbus.tcp_server import bind
from sim.proxy import Mode, TcpProxy

PATIENCE_S = 5.0
SILENCE_S = 0.1


@pytest.fixture
async def proxy() -> AsyncIterator[TcpProxy]:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(4096):
                writer.write(data)
        except ConnectionError:
            pass
        writer.close()

    before = asyncio.all_tasks()
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    made = TcpProxy(bind("proxy", "127.0.0.1", 0), server.sockets[0].getsockname()[:2], delay_s=0.05)
    yield made
    await made.close()
    server.close()
    async with asyncio.timeout(PATIENCE_S):
        while asyncio.all_tasks() - before - {asyncio.current_task()}:  # noqa: ASYNC110  # the server's own tasks end by themselves
            await asyncio.sleep(0)


class Client:
    """One connection to the proxy."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def of(cls, proxy: TcpProxy) -> "Client":
        return cls(*await asyncio.open_connection(*proxy.address))

    async def ask(self, words: bytes, length: int | None = None) -> bytes:
        """Send, and wait for an answer of this length."""
        self.writer.write(words)
        async with asyncio.timeout(PATIENCE_S):
            return await self.reader.readexactly(len(words) if length is None else length)

    async def hears_nothing(self, words: bytes) -> bool:
        self.writer.write(words)
        try:
            async with asyncio.timeout(SILENCE_S):
                return not await self.reader.read(1)
        except TimeoutError:
            return True

    async def is_reset(self) -> bool:
        try:
            async with asyncio.timeout(PATIENCE_S):
                return not await self.reader.read(1) and False
        except ConnectionResetError:
            return True

    def close(self) -> None:
        self.writer.close()


async def test_what_passes_is_not_changed(proxy: TcpProxy) -> None:
    clients = [await Client.of(proxy) for _ in range(3)]
    for number, client in enumerate(clients):
        words = bytes((number,)) * 3000
        assert await client.ask(words) == words
        client.close()


async def test_an_end_of_one_side_is_passed_on(proxy: TcpProxy) -> None:
    client = await Client.of(proxy)
    assert await client.ask(b"hello") == b"hello"
    client.writer.write_eof()
    async with asyncio.timeout(PATIENCE_S):
        assert await client.reader.read() == b""
    client.close()


async def test_refuse_resets_what_is_open_and_lets_nobody_in_until_it_passes_again(proxy: TcpProxy) -> None:
    client = await Client.of(proxy)
    assert await client.ask(b"hello") == b"hello"
    proxy.switch(Mode.REFUSE)
    assert await client.is_reset()
    with pytest.raises(ConnectionRefusedError):
        await Client.of(proxy)
    client.close()
    proxy.switch(Mode.PASS)
    again = await Client.of(proxy)
    assert await again.ask(b"again") == b"again"
    again.close()


async def test_reset_ends_what_is_open_and_each_new_connection_at_its_first_request(proxy: TcpProxy) -> None:
    open_before = await Client.of(proxy)
    assert await open_before.ask(b"hello") == b"hello"
    proxy.switch(Mode.RESET)
    assert await open_before.is_reset()
    new = await Client.of(proxy)
    new.writer.write(b"hello")
    assert await new.is_reset()
    proxy.switch(Mode.PASS)
    later = await Client.of(proxy)
    assert await later.ask(b"later") == b"later"
    for client in (open_before, new, later):
        client.close()


async def test_half_open_swallows_both_ways_and_goes_on_afterwards(proxy: TcpProxy) -> None:
    client = await Client.of(proxy)
    proxy.switch(Mode.HALF_OPEN)
    assert await client.hears_nothing(b"lost")
    newcomer = await Client.of(proxy)
    assert await newcomer.hears_nothing(b"lost too")
    proxy.switch(Mode.PASS)
    assert await client.ask(b"found") == b"found"
    client.close()
    newcomer.close()


async def test_a_late_reply_is_late_and_whole(proxy: TcpProxy) -> None:
    client = await Client.of(proxy)
    proxy.switch(Mode.DELAY)
    started = asyncio.get_running_loop().time()
    assert await client.ask(b"hello") == b"hello"
    assert asyncio.get_running_loop().time() - started >= 0.05
    client.close()


async def test_a_split_reply_comes_whole_in_pieces(proxy: TcpProxy) -> None:
    client = await Client.of(proxy)
    proxy.switch(Mode.SPLIT)
    client.writer.write(b"0123456789")
    async with asyncio.timeout(PATIENCE_S):
        first = await client.reader.read(10)
        assert 0 < len(first) < 10
        assert first + await client.reader.readexactly(10 - len(first)) == b"0123456789"
    client.close()


async def test_garbage_is_as_long_as_the_reply_and_the_same_with_the_same_seed(proxy: TcpProxy) -> None:
    client = await Client.of(proxy)
    proxy.switch(Mode.GARBAGE)
    spoilt = await client.ask(b"0123456789")
    assert spoilt != b"0123456789"
    twin = TcpProxy(bind("proxy", "127.0.0.1", 0), proxy._target)
    twin.switch(Mode.GARBAGE)
    other = await Client.of(twin)
    assert await other.ask(b"0123456789") == spoilt
    await twin.close()
    client.close()
    other.close()


@pytest.mark.parametrize(("mode", "answers"), [(Mode.DROP_REPLY, b""), (Mode.REPEAT_REPLY, b"aa")])
async def test_a_mode_for_one_reply_ends_with_it(proxy: TcpProxy, mode: Mode, answers: bytes) -> None:
    client = await Client.of(proxy)
    proxy.switch(mode, replies=1)
    if answers:
        assert await client.ask(b"a", len(answers)) == answers
    else:
        assert await client.hears_nothing(b"a")
    assert proxy.mode is Mode.PASS
    assert await client.ask(b"b") == b"b"
    client.close()


async def test_a_server_that_is_not_there_shows_as_a_reset() -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        target = nobody.getsockname()[:2]
    proxy = TcpProxy(bind("proxy", "127.0.0.1", 0), target)
    client = await Client.of(proxy)
    assert await client.is_reset()
    client.close()
    await proxy.close()


async def test_close_ends_everything_whatever_the_mode() -> None:
    for mode in Mode:
        proxy = TcpProxy(bind("proxy", "127.0.0.1", 0), ("127.0.0.1", 9))
        proxy.switch(mode)
        await proxy.close()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(*proxy.address)
    assert asyncio.all_tasks() == {asyncio.current_task()}


def test_every_mode_says_what_it_is() -> None:
    assert all(mode.meaning for mode in Mode)
