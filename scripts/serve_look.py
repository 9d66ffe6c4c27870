#!/usr/bin/env python3
"""The page of `ser serve` in headless Chromium: a dropped file, a fake microphone, a file that is no recording.

    pip install playwright
    scripts/serve_look.py target/release/ser MODEL.safetensors RECORDING.wav -o FOLDER

Writes screenshots at 1280 and 400 px, light and dark, to be looked at. Exits with 1 where the page threw, asked for something
from elsewhere, was wider than its window or gave no answer.
"""

import argparse
import base64
import pathlib
import subprocess
import sys

from playwright.sync_api import sync_playwright

DROP = """async ([data, name]) => {
  const files = new DataTransfer();
  files.items.add(new File([Uint8Array.from(atob(data), c => c.charCodeAt(0))], name));
  for (const type of ['dragover', 'drop'])
    document.getElementById('drop').dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer: files }));
}"""
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def visit(page, url, recording, shot):
    """What went wrong on the page."""
    wrong = []
    page.on("pageerror", lambda e: wrong.append(str(e)))
    page.on("console", lambda m: wrong.append(m.text) if m.type == "error" and "415" not in m.text else None)
    page.on("request", lambda r: None if r.url.startswith((url, "blob:", "data:")) else wrong.append(f"asks {r.url}"))
    page.goto(url)
    page.locator("#limits", has_text="MiB").wait_for()
    shot("start")
    page.evaluate(DROP, [base64.b64encode(recording.read_bytes()).decode(), recording.name])
    page.locator("#name", has_text=recording.name).wait_for()
    page.evaluate("document.querySelectorAll('details').forEach(e => e.open = true)")
    page.hover("#time")
    shot("drop")
    said = page.inner_text("#label")
    page.click("#record")
    page.wait_for_timeout(2500)
    shot("recording")
    page.click("#record")
    page.locator("#name", has_text="your recording").wait_for()
    page.wait_for_timeout(300)
    shot("microphone")
    print(f"dropped: {said}; microphone: {page.inner_text('#label')}")
    if page.evaluate(WIDER) > 0:
        wrong.append("wider than the window")
    page.set_input_files("#file", [{"name": "no.wav", "mimeType": "audio/wav", "buffer": b"<html>no"}])
    page.locator("#status.bad", has_text="not audio").wait_for()
    shot("refused")
    return wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("ser")
    parser.add_argument("model")
    parser.add_argument("recording", type=pathlib.Path)
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    command = [args.ser, "serve", "--model", args.model, "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    fake = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    fake.append(f"--use-file-for-fake-audio-capture={args.recording.resolve()}%noloop")
    wrong = []
    try:
        url = server.stdout.readline().strip()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=args.chromium, args=["--no-sandbox", *fake])
            for width in (1280, 400):
                for scheme in ("light", "dark"):
                    size = {"width": width, "height": 900}
                    context = browser.new_context(viewport=size, color_scheme=scheme, permissions=["microphone"])
                    page = context.new_page()
                    shot = lambda name: page.screenshot(path=args.output / f"{name}-{width}-{scheme}.png", full_page=True)
                    wrong += visit(page, url, args.recording, shot)
                    context.close()
            browser.close()
    finally:
        server.terminate()
        server.wait(20)
    print("\n".join(wrong) or "ok")
    sys.exit(bool(wrong))


main()
