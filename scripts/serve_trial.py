#!/usr/bin/env python3
"""`ser serve` under load: many clients at once, slow uploads and pages of other sites beside good requests, then minutes of
bad requests, then Ctrl-C while every core computes.

    scripts/serve_trial.py target/release/ser MODEL.safetensors RECORDING.wav [--clients 200] [--minutes 10]

Prints latencies of good requests and what the process holds before and after. Exits with 1 where an answer was wrong, good
requests waited 200 ms longer because of the others (95th percentiles), the process died, grew by more than 32 MiB between
the second minute and the end, kept handles, wrote a file, or took more than two seconds to end. `--minutes 1` is the short
form, of two minutes in all.
"""

import argparse
import asyncio
import collections
import io
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import wave

ADDRESS = "127.0.0.1"
PREFLIGHT = "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: x\r\n"
OTHER_SITES = [
    "Origin: https://evil.example\r\nContent-Type: text/plain\r\nSec-Fetch-Site: cross-site\r\n",
    "Origin: null\r\n",
    "Origin: http://localhost:1\r\nSec-Fetch-Site: same-site\r\n",
    "Sec-Fetch-Site: cross-site\r\n",
]


def head(port, path, length=None, method="POST", extra="", host=None):
    length = "" if length is None else f"Content-Length: {length}\r\n"
    host = host or f"localhost:{port}"
    return f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{length}{extra}Connection: close\r\n\r\n".encode()


async def talk(port, pieces, pause=0.0, patience=90.0):
    """Sends the pieces; the status and the body of the answer, 0 where the connection ended without one."""
    try:
        reader, writer = await asyncio.open_connection(ADDRESS, port)
    except OSError:
        return 0, b""
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            if pause:
                await asyncio.sleep(pause)
    except OSError:
        pass
    try:
        answer = await asyncio.wait_for(reader.read(), patience)
    except (OSError, asyncio.TimeoutError):
        answer = b""
    finally:
        writer.close()
    status = re.match(rb"HTTP/1\.1 (\d+)", answer)
    return (int(status[1]) if status else 0), answer.partition(b"\r\n\r\n")[2]


def bad_requests(port, sound):
    """Name, pieces, pause between them, statuses that are right (0: cut off without a word)."""
    half, noise = sound[: len(sound) // 2], random.randbytes(4096)
    huge = bytearray(sound[:44])
    huge[40:44] = (2**32 - 1).to_bytes(4, "little")
    good = "/api/predict?window=1"
    ask = lambda *args, **named: head(port, *args, **named)
    yield "too large", [ask(good, 2**40)], 0, {413}
    yield "length of 30 digits", [ask(good, "9" * 30)], 0, {400}
    yield "no length", [ask(good), b"abc"], 0, {411}
    yield "chunked", [ask(good, extra="Transfer-Encoding: chunked\r\n"), b"5\r\nhello\r\n0\r\n\r\n"], 0, {411}
    yield "broken off", [ask(good, len(sound)), half], 0, {0, 408}
    yield "slow body", [ask(good, len(sound))] + [sound[i : i + 1] for i in range(60)], 0.1, {0, 408}
    yield "slow head", [bytes([b]) for b in ask(good, 5)[:70]], 0.2, {0, 408}
    yield "truncated", [ask(good, len(half)), half], 0, {422}
    yield "a header that lies", [ask(good, len(huge)), bytes(huge)], 0, {422}
    yield "noise", [ask(good, len(noise)), noise], 0, {415, 422}
    yield "noise after a head", [ask(good, 44 + len(noise)), sound[:44], noise], 0, {422}
    yield "a web page", [ask(good, 15), b"<html>no</html>"], 0, {415}
    yield "nothing", [ask(good, 0)], 0, {422}
    yield "paths", [ask("/../../../../etc/passwd", method="GET")], 0, {404}
    yield "paths, encoded", [ask("/%2e%2e/%2e%2e/etc/passwd%00.js", method="GET")], 0, {404}
    yield "no path", [ask("http://", method="GET")], 0, {400}
    yield "bad parameters", [ask("/api/predict?window=-1&hop=1e999", len(sound)), sound], 0, {400}
    yield "windows without end", [ask("/api/predict?window=0.1&hop=1e-9", len(sound)), sound], 0, {400}
    for site in OTHER_SITES:
        yield "a page of another site", [ask(good, len(sound), extra=site), sound], 0, {403}
        yield "a page of another site", [ask("/api/model", method="GET", extra=site)], 0, {403}
        yield "preflight of another site", [ask(good, 0, method="OPTIONS", extra=site + PREFLIGHT)], 0, {403}
    for host in ["evil.example", f"evil.example:{port}", f"127.0.0.1.evil.example:{port}", "localhost:1"]:
        yield "another host", [ask("/api/model", method="GET", host=host)], 0, {403}
    yield "an upload that stops", [ask(good, 32 << 20), b"RIFF"], 0, {408}
    yield "TLS", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc" + noise], 0, {400, 0}
    yield "a large head", [ask(good, 3, extra=f"X: {'x' * 100_000}\r\n")], 0, {431, 0}
    yield "many headers", [ask(good, 3, extra="X: y\r\n" * 5000)], 0, {431, 0}
    yield "methods", [ask(good, 0, method="BREW")], 0, {405}


def held(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    resident = int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024
    threads = int(re.search(r"Threads:\s+(\d+)", status)[1])
    return resident, len(os.listdir(f"/proc/{pid}/fd")), threads


def percentiles(seconds):
    ordered = sorted(seconds)
    at = lambda share: 1e3 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]
    return ", ".join(f"p{100 * s:g} {at(s):.0f} ms" for s in (0.5, 0.9, 0.99)) + f", most {1e3 * ordered[-1]:.0f} ms"


async def load(port, sound, clients, each):
    """Each client asks again as soon as it is answered."""
    request, times, statuses, answers = [head(port, "/api/predict", len(sound)), sound], [], collections.Counter(), set()

    async def client():
        for _ in range(each):
            start = time.monotonic()
            status, body = await talk(port, request)
            times.append(time.monotonic() - start)
            statuses[status] += 1
            answers.add(body)

    start = time.monotonic()
    await asyncio.gather(*(client() for _ in range(clients)))
    wall = time.monotonic() - start
    print(f"{clients} clients at once, {each} requests each: {dict(statuses)}, {len(times) / wall:.0f} a second, {percentiles(times)}")
    return set(statuses) == {200} and len(answers) == 1


async def delay(port, sound, seconds):
    """How much longer good requests wait beside slow uploads and pages of other sites: 95th percentiles, in seconds."""
    fine = True

    async def good(until):
        nonlocal fine
        times = []
        while time.monotonic() < until:
            start = time.monotonic()
            status, _ = await talk(port, [head(port, "/api/predict", len(sound)), sound])
            times.append(time.monotonic() - start)
            fine &= status == 200
            await asyncio.sleep(0.02)
        return times

    async def slow(until):
        while time.monotonic() < until:
            await talk(port, [head(port, "/api/predict", 32 << 20), b"RIFF"])

    async def page(until):
        nonlocal fine
        while time.monotonic() < until:
            for site in OTHER_SITES:
                status, _ = await talk(port, [head(port, "/api/predict", len(sound), extra=site), sound])
                fine &= status == 403
                await asyncio.sleep(0.1)

    alone = await good(time.monotonic() + seconds)
    until = time.monotonic() + seconds
    others = [slow(until) for _ in range(64)] + [page(until) for _ in range(8)]
    beside, *_ = await asyncio.gather(good(until), *others)
    p95 = lambda times: sorted(times)[int(0.95 * len(times))]
    longer = p95(beside) - p95(alone)
    print(f"good requests alone: {len(alone)}, {percentiles(alone)}")
    print(f"beside 64 slow uploads and 8 pages of other sites: {len(beside)}, {percentiles(beside)}; {1e3 * longer:.0f} ms longer")
    return fine and longer < 0.2


def long_sound():
    """95 s of noise, which has 9,400 windows of one second: many seconds of work."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes(random.randbytes(2 * 95 * 16_000))
    return file.getvalue()


async def end(server, port):
    """Seconds that the process lives on after Ctrl-C, while every core computes; its exit code."""
    sound = long_sound()
    path = "/api/predict?window=1&hop=0.01&vad=false"
    work = [asyncio.create_task(talk(port, [head(port, path, len(sound)), sound])) for _ in range(os.cpu_count())]
    await asyncio.sleep(2)
    start = time.monotonic()
    server.send_signal(signal.SIGINT)
    code = await asyncio.to_thread(server.wait, 120)
    seconds = time.monotonic() - start
    await asyncio.gather(*work)
    print(f"{seconds:.2f} s from Ctrl-C to the end of the process, exit code {code}")
    return seconds, code


async def abuse(port, sound, minutes, pid):
    """Forty clients send bad requests in random order, one good ones."""
    end, found, times, early, fine = time.monotonic() + 60 * minutes, {}, [], None, True

    async def bad():
        while time.monotonic() < end:
            name, pieces, pause, right = random.choice(list(bad_requests(port, sound)))
            status, _ = await talk(port, pieces, pause)
            found.setdefault((name, frozenset(right)), collections.Counter())[status] += 1

    async def good():
        nonlocal early, fine
        while time.monotonic() < end:
            start = time.monotonic()
            status, _ = await talk(port, [head(port, "/api/predict", len(sound)), sound])
            times.append(time.monotonic() - start)
            fine &= status == 200
            if early is None and end - time.monotonic() < 60 * (minutes - min(2, minutes / 2)):
                early = held(pid)[0]
            await asyncio.sleep(0.1)

    await asyncio.gather(good(), *(bad() for _ in range(40)))
    for (name, right), statuses in sorted(found.items(), key=lambda item: item[0][0]):
        wrong = set(statuses) - right
        fine &= not wrong
        print(f"  {name}: {dict(statuses)}{' WRONG' if wrong else ''}")
    total = sum(sum(statuses.values()) for statuses in found.values())
    print(f"{total} bad requests in {minutes:g} min; {len(times)} good ones between them: {percentiles(times)}")
    return fine, early


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("ser")
    parser.add_argument("model")
    parser.add_argument("recording")
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--each", type=int, default=10)
    parser.add_argument("--minutes", type=float, default=10)
    args = parser.parse_args()
    sound = pathlib.Path(args.recording).read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        command = [os.path.abspath(args.ser), "serve", "--model", os.path.abspath(args.model), "--port", "0", "--timeout", "5"]
        environment = {**os.environ, "TMPDIR": folder, "HOME": folder}
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        port = int(server.stdout.readline().rsplit(":", 1)[1])
        before = held(server.pid)
        fine = await load(port, sound, args.clients, args.each)
        loaded = held(server.pid)
        prompt = await delay(port, sound, 10)
        right, early = await abuse(port, sound, args.minutes, server.pid)
        await asyncio.sleep(12)
        after = held(server.pid)
        for name, (resident, handles, threads) in [("at the start", before), ("after the load", loaded), ("at the end", after)]:
            print(f"{name}: {resident:.0f} MiB, {handles} handles, {threads} threads")
        kept = after[0] - (early or loaded[0])
        print(f"growth from the second minute to the end: {kept:.1f} MiB")
        (seconds, code), written = await end(server, port), os.listdir(folder)
        print(f"files written: {written}")
        good = fine and prompt and right and kept < 32 and after[1] <= before[1] and not written
        good = good and seconds < 2 and code == 0
        print("ok" if good else "FAILED")
        sys.exit(not good)


asyncio.run(main())
