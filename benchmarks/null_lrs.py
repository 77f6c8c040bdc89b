"""An LRS that only reads and answers 200 with 100 ids, for measuring: ``python benchmarks/null_lrs.py [PORT]``."""

import asyncio
import sys
from collections.abc import Callable

_IDS = b"[" + b",".join([b'"00000000-0000-4000-8000-000000000000"'] * 100) + b"]"
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(_IDS), _IDS)


def _forget(_: bytes) -> None:
    """What nobody wants to know."""


async def listen(port: int, accepted: Callable[[bytes], None] = _forget, seconds: float = 0.0) -> asyncio.Server:
    """A server that answers after ``seconds``; ``accepted`` is called with the body of each request then."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
                body = await reader.readexactly(length)
                if seconds:
                    await asyncio.sleep(seconds)
                accepted(body)
                writer.write(_ANSWER)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    return await asyncio.start_server(serve, "127.0.0.1", port, limit=1 << 20)


async def main(port: int) -> None:
    server = await listen(port)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/xAPI", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 0))
