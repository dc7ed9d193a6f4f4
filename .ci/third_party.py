#!/usr/bin/env python3
"""Writes THIRD-PARTY.md: the licences of everything that is linked into a released binary.

    .ci/third_party.py            write it
    .ci/third_party.py --check    fail when it is not current

Reads what `cargo metadata` says and the licence files in the sources of the crates (`cargo fetch --locked` gets these).
Of several licences a crate offers, the first in PREFERRED is taken. Needs nothing but Python and cargo.
"""

import collections
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = ROOT / "THIRD-PARTY.md"
# What binaries are released for.
PLATFORMS = [
    "x86_64-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
    "x86_64-apple-darwin",
    "aarch64-apple-darwin",
    "x86_64-pc-windows-msvc",
]
# One text serves all crates under Apache-2.0; the others name their authors.
PREFERRED = [
    "Apache-2.0", "MIT", "Unicode-3.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Zlib", "BSL-1.0", "MPL-2.0", "Unlicense",
    "Apache-2.0 WITH LLVM-exception",
]
# How a text is recognised.
MARKS = {
    "Apache-2.0": "Apache License",
    "MIT": "Permission is hereby granted, free of charge, to any person",
    "Unicode-3.0": "UNICODE LICENSE V3",
    "BSD-2-Clause": "Redistribution and use in source and binary forms",
    "BSD-3-Clause": "Neither the name",
    "ISC": "Permission to use, copy, modify, and",
    "Zlib": "This software is provided 'as-is'",
    "BSL-1.0": "Boost Software License",
    "MPL-2.0": "Mozilla Public License Version 2.0",
    "Unlicense": "This is free and unencumbered software",
    "Apache-2.0 WITH LLVM-exception": "LLVM Exceptions",
}
NOTES = {
    "MPL-2.0": "The source of these crates is unchanged; it is in their repositories, at the versions given.",
}
COPYRIGHT = re.compile(r"^\W*(copyright|\(c\)|©)[^a-z]*(\(c\)|©|[0-9]{4})", re.IGNORECASE)


def linked():
    """Crates that are linked on any platform, without what only runs at build time."""
    found = {}
    for platform in PLATFORMS:
        command = ["cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", platform]
        told = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
        packages = {package["id"]: package for package in told["packages"]}
        nodes = {node["id"]: node for node in told["resolve"]["nodes"]}
        pending, seen = [told["resolve"]["root"]], set()
        while pending:
            id_ = pending.pop()
            package = packages[id_]
            at_build_time = any("proc-macro" in target["kind"] for target in package["targets"])
            if id_ in seen or at_build_time:
                continue
            seen.add(id_)
            if package["source"]:
                found[id_] = package
            for dependency in nodes[id_]["deps"]:
                if any(kind["kind"] is None for kind in dependency["dep_kinds"]):
                    pending.append(dependency["pkg"])
    return sorted(found.values(), key=lambda package: (package["name"], package["version"]))


def chosen(expression):
    """The licences that apply: one of each OR, all of an AND."""
    parts = re.split(r"\s+AND\s+", expression)
    licences = []
    for part in parts:
        offered = [name.strip(" ()") for name in re.split(r"\s+OR\s+|\s*/\s*", part)]
        known = [name for name in PREFERRED if name in offered]
        if not known:
            sys.exit(f"no known licence in `{expression}`")
        licences.append(known[0])
    return licences


def texts(package):
    """The licence files of a crate, and of the C sources that it may bring."""
    folder = pathlib.Path(package["manifest_path"]).parent
    named = re.compile(r"^(licen[cs]e|copying|unlicense|notice|copyright)", re.IGNORECASE)
    for path in sorted(folder.iterdir()) + sorted(folder.glob("*/LICENSE*")):
        if path.is_file() and named.match(path.name):
            yield path.name, path.read_text(encoding="utf-8", errors="replace").replace("\r\n", "\n")


def is_text_of(licence, text):
    others = {"BSD-2-Clause": "BSD-3-Clause", "Apache-2.0": "Apache-2.0 WITH LLVM-exception"}
    return MARKS[licence] in text and (licence not in others or MARKS[others[licence]] not in text)


def main():
    packages = linked()
    # Licence → text without authors → (the text, crates with their authors).
    bodies = collections.defaultdict(dict)
    without, notices = collections.defaultdict(list), []
    for package in packages:
        name = f"{package['name']} {package['version']}"
        for file, text in texts(package):
            if file.lower().startswith("notice"):
                notices.append((name, text.strip()))
        for licence in chosen(package["license"] or "none"):
            found = [text for _, text in texts(package) if is_text_of(licence, text)]
            if not found:
                without[licence].append((name, package))
                continue
            lines = found[0].strip().split("\n")
            is_common = licence in ("Apache-2.0", "MPL-2.0")
            everyone = [line.strip() for text in found for line in text.split("\n") if COPYRIGHT.match(line)]
            authors = everyone if not is_common else []
            body = [line for line in lines if is_common or not COPYRIGHT.match(line)]
            # Texts that differ in their title or line breaks alone are one.
            start = re.escape(MARKS[licence].split()[0])
            key = "apache" if is_common else re.sub(r"\W+", "", re.sub(rf"^.*?(?={start})", "", " ".join(body))).lower()
            text = "\n".join(body).strip("\n")
            bodies[licence].setdefault(key, (text, []))[1].append((name, package, authors))
    for licence, missing in without.items():
        if not bodies[licence]:
            sys.exit(f"{licence}: none of {[name for name, _ in missing]} comes with its text")
        first = max(bodies[licence].values(), key=lambda body: len(body[1]))
        first[1].extend((name, package, package["authors"]) for name, package in missing)
    written = [
        "# Third-party notices",
        "",
        f"A released binary of talkmeter contains the {len(packages)} crates below, each under the licence it is listed with.",
        "Written by `.ci/third_party.py`; do not edit.",
    ]
    for licence in [licence for licence in PREFERRED if licence in bodies]:
        written += ["", f"## {licence}"]
        if licence in NOTES:
            written += ["", NOTES[licence]]
        for text, crates in sorted(bodies[licence].values(), key=lambda body: (-len(body[1]), body[0])):
            written.append("")
            for name, package, authors in sorted(crates, key=lambda crate: crate[0]):
                source = f" ({package['repository']})" if licence == "MPL-2.0" and package["repository"] else ""
                by = f": {'; '.join(dict.fromkeys(authors))}" if authors else ""
                written.append(f"- {name}{source}{by}")
            written += ["", "```text", text.replace("```", "'''"), "```"]
    if notices:
        written += ["", "## Notices"]
        for name, text in notices:
            written += ["", f"{name}:", "", "```text", text, "```"]
    result = "\n".join(line.rstrip() for line in "\n".join(written).split("\n")) + "\n"
    if sys.argv[1:] == ["--check"]:
        if not TARGET.exists() or TARGET.read_text(encoding="utf-8") != result:
            sys.exit("THIRD-PARTY.md is not current: run .ci/third_party.py")
    else:
        TARGET.write_text(result, encoding="utf-8")
        print(f"{len(packages)} crates, {sum(len(found) for found in bodies.values())} texts, {len(result) >> 10} KiB")


main()
