#!/usr/bin/env python3
"""`ser serve` under load: many clients at once, then minutes of bad requests.

    scripts/serve_trial.py target/release/ser MODEL.safetensors RECORDING.wav [--clients 200] [--minutes 10]

Prints latencies of good requests and what the process holds before and after. Exits with 1 where an answer was wrong, the
process died, grew by more than 32 MiB between the second minute and the end, kept handles, or wrote a file.
"""

import argparse
import asyncio
import collections
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time

HOST = "127.0.0.1"


def head(path, length=None, method="POST", extra=""):
    length = "" if length is None else f"Content-Length: {length}\r\n"
    return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{length}{extra}Connection: close\r\n\r\n".encode()


async def talk(port, pieces, pause=0.0, patience=90.0):
    """Sends the pieces; the status and the body of the answer, 0 where the connection ended without one."""
    try:
        reader, writer = await asyncio.open_connection(HOST, port)
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


def bad_requests(sound):
    """Name, pieces, pause between them, statuses that are right (0: cut off without a word)."""
    half, noise = sound[: len(sound) // 2], random.randbytes(4096)
    huge = bytearray(sound[:44])
    huge[40:44] = (2**32 - 1).to_bytes(4, "little")
    good = "/api/predict?window=1"
    yield "too large", [head(good, 2**40)], 0, {413}
    yield "length of 30 digits", [head(good, "9" * 30)], 0, {400}
    yield "no length", [head(good), b"abc"], 0, {411}
    yield "chunked", [head(good, extra="Transfer-Encoding: chunked\r\n"), b"5\r\nhello\r\n0\r\n\r\n"], 0, {411}
    yield "broken off", [head(good, len(sound)), half], 0, {0, 408}
    yield "slow body", [head(good, len(sound))] + [sound[i : i + 1] for i in range(60)], 0.1, {0, 408}
    yield "slow head", [bytes([b]) for b in head(good, 5)[:70]], 0.2, {0, 408}
    yield "truncated", [head(good, len(half)), half], 0, {422}
    yield "a header that lies", [head(good, len(huge)), bytes(huge)], 0, {422}
    yield "noise", [head(good, len(noise)), noise], 0, {415, 422}
    yield "noise after a head", [head(good, 44 + len(noise)), sound[:44], noise], 0, {422}
    yield "a web page", [head(good, 15), b"<html>no</html>"], 0, {415}
    yield "nothing", [head(good, 0)], 0, {422}
    yield "paths", [head("/../../../../etc/passwd", method="GET")], 0, {404}
    yield "paths, encoded", [head("/%2e%2e/%2e%2e/etc/passwd%00.js", method="GET")], 0, {404}
    yield "no path", [head("http://", method="GET")], 0, {400}
    yield "bad parameters", [head("/api/predict?window=-1&hop=1e999", len(sound)), sound], 0, {400}
    yield "windows without end", [head("/api/predict?window=0.1&hop=1e-9", len(sound)), sound], 0, {200, 503}
    yield "another site", [b"GET /api/model HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"], 0, {403}
    yield "TLS", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc" + noise], 0, {400, 0}
    yield "a large head", [head(good, 3, extra=f"X: {'x' * 100_000}\r\n")], 0, {431, 0}
    yield "many headers", [head(good, 3, extra="X: y\r\n" * 5000)], 0, {431, 0}
    yield "methods", [head(good, 0, method="BREW")], 0, {405}


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
    request, times, statuses, answers = [head("/api/predict", len(sound)), sound], [], collections.Counter(), set()

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


async def abuse(port, sound, minutes, pid):
    """Forty clients send bad requests in random order, one good ones."""
    end, found, times, early, fine = time.monotonic() + 60 * minutes, {}, [], None, True

    async def bad():
        while time.monotonic() < end:
            name, pieces, pause, right = random.choice(list(bad_requests(sound)))
            status, _ = await talk(port, pieces, pause)
            found.setdefault((name, frozenset(right)), collections.Counter())[status] += 1

    async def good():
        nonlocal early, fine
        while time.monotonic() < end:
            start = time.monotonic()
            status, _ = await talk(port, [head("/api/predict", len(sound)), sound])
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
        right, early = await abuse(port, sound, args.minutes, server.pid)
        await asyncio.sleep(12)
        after = held(server.pid)
        for name, (resident, handles, threads) in [("at the start", before), ("after the load", loaded), ("at the end", after)]:
            print(f"{name}: {resident:.0f} MiB, {handles} handles, {threads} threads")
        kept = after[0] - (early or loaded[0])
        print(f"growth from the second minute to the end: {kept:.1f} MiB")
        server.terminate()
        code, written = server.wait(20), os.listdir(folder)
        print(f"exit code {code}; files written: {written}")
        good = fine and right and kept < 32 and after[1] <= before[1] and code == 0 and not written
        print("ok" if good else "FAILED")
        sys.exit(not good)


asyncio.run(main())
