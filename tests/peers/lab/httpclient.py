"""One POST over HTTP/1.1, as the platforms send webhooks: no redirects, one connection each, an answer within a time or none."""
import asyncio
import ssl
import urllib.parse


async def post(url, body, headers, seconds, ca=None):
    """(status, headers, body); OSError or asyncio.TimeoutError when no answer came. ca: trust only this authority."""
    return await asyncio.wait_for(_post(url, body, headers, ca), seconds)


async def _post(url, body, headers, ca):
    u = urllib.parse.urlsplit(url)
    context = None
    if u.scheme == "https":
        context = ssl.create_default_context(cafile=ca)
    reader, writer = await asyncio.open_connection(u.hostname, u.port or (443 if context else 80), ssl=context)
    try:
        target = (u.path or "/") + (f"?{u.query}" if u.query else "")
        head = [f"POST {target} HTTP/1.1", f"Host: {u.netloc}", "Connection: close", f"Content-Length: {len(body)}"]
        head += [f"{k}: {v}" for k, v in headers.items()]
        writer.write("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(head[0].split(" ")[1])
        fields = {}
        for line in head[1:]:
            name, _, value = line.partition(":")
            if name:
                fields[name.lower()] = value.strip()
        if "content-length" in fields:
            answer = await reader.readexactly(int(fields["content-length"]))
        elif fields.get("transfer-encoding", "").lower() == "chunked":
            answer = b""
            while n := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
                answer += (await reader.readexactly(n + 2))[:-2]
        elif status == 204:
            answer = b""
        else:
            answer = await reader.read()
        return status, fields, answer
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError, IndexError) as e:
        raise OSError(f"no HTTP answer: {e!r}") from e
    finally:
        writer.close()
