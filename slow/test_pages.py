"""Pages as a browser draws them: one sheet of A3, every text in its box. Needs Chromium, and fonts like Arial's."""

import html
import json
import re
import shutil
import subprocess

import pytest

from tests.rooms.publish.test_production_line import told
from winay.publish.production_line import page

QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update", "--no-pdf-header-footer")  # fmt: skip
BURST = """<script>
const over = box => Math.max(box.scrollHeight - box.clientHeight, box.scrollWidth - box.clientWidth) > 2;
document.title = JSON.stringify([...document.querySelectorAll(".box, header > *, footer, .product")].filter(over).map(
  box => box.textContent.trim().slice(0, 40)));
</script>"""
"""The beginning of each text that its box does not hold, as the title of the page."""


def chromium(*words):
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert program, "on Debian or Ubuntu: apt install chromium fonts-liberation"
    return subprocess.run([program, *QUIET, *words], capture_output=True, text=True, check=True, timeout=120).stdout


@pytest.fixture(params=[0, 5, 999], ids=["no figures", "some", "all"])
def drawn(request, monkeypatch):
    monkeypatch.setenv("WINAY_LANG", "es")
    return page(told(most=request.param))


def test_one_sheet_of_a3(drawn, tmp_path):
    file, pdf = tmp_path / "line.html", tmp_path / "line.pdf"
    file.write_text(drawn, "utf-8")
    chromium(f"--print-to-pdf={pdf}", file.as_uri())
    content = pdf.read_bytes()
    assert len(re.findall(rb"/Type\s*/Page\b", content)) == 1
    width, height = map(float, re.search(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", content).groups())
    assert (round(width / 72 * 25.4), round(height / 72 * 25.4)) == (420, 297)


def test_every_text_is_in_its_box(drawn, tmp_path):
    file = tmp_path / "line.html"
    file.write_text(drawn + BURST, "utf-8")
    title = re.search(r"<title>(.*?)</title>", chromium("--dump-dom", file.as_uri()), re.DOTALL)
    assert json.loads(html.unescape(title[1])) == []
