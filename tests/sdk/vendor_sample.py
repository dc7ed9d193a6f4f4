"""Runs the vendor's own REST sample against an emulator, with only scheme and host changed.

    python3 vendor_sample.py BASE_URL PAGE

BASE_URL is what `talkmeter emulate` prints; PAGE is the text of the vendor's page "Audio file transcription". The sample
stands between the headings "RESTful API" and "Synchronous calls". It needs the package `requests`.
"""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

VENDOR_HOST = "dashscope-intl.aliyuncs.com"


def sample(page: str) -> str:
    """The Python between the two headings: from its first import to the next blank heading."""
    _, found, rest = page.partition("\nRESTful API\n")
    assert found, "the page has no heading 'RESTful API'"
    section, found, _ = rest.partition("\nSynchronous calls")
    assert found, "the page has no heading 'Synchronous calls'"
    start = section.index("import requests")
    return section[start:]


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    base = urlsplit(sys.argv[1])
    code = sample(Path(sys.argv[2]).read_text(encoding="utf-8"))
    assert f'region = "{VENDOR_HOST}"' in code, "the sample names another host"
    code = code.replace(f'"{VENDOR_HOST}"', f'"{base.netloc}"').replace('f"https://{region}', f'f"{base.scheme}://{{region}}')
    environment = {**os.environ, "DASHSCOPE_API_KEY": os.environ.get("DASHSCOPE_API_KEY", "sk-emulator")}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    print(run.stdout, end="")
    print(run.stderr, end="", file=sys.stderr)
    assert run.returncode == 0, f"the sample ended with {run.returncode}"
    assert "task succeeded!" in run.stdout
    results = run.stdout.rpartition("transcription result:  ")[2]
    assert results.count("'subtask_status': 'SUCCEEDED'") == 2, "two files, two results"
    assert results.count("'transcription_url': 'http") == 2
    print("ok: the vendor's sample printed both results")
    return 0


if __name__ == "__main__":
    sys.exit(main())
