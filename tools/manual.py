#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Makes the manual pages of the C interface (section 3) from the public headers.

usage: tools/manual.py VERSION FOLDER HEADER...

Each header becomes a page pcr_STEM, and pcr.h the overview libpcr. A mark
    /* --- pcr_slice: Runs of samples, read at once --- */
begins another page. Each function and type has a file that leads to its page.

A comment belongs to the declaration after it when no blank line lies between, and to the one
before it when it begins on the same line. Other comments are the page's text; one whose first
line is followed by an empty one has a title. In a comment, "name: text" is a definition, which
indented lines continue, "- " begins an entry of a list, and paragraphs that are indented as a
whole stay as they are.

Ends with an error that names each function, type, constant and member without a comment.
"""

import re
import sys
import textwrap
from pathlib import Path

TOKEN = re.compile(r"/\*.*?\*/|#define [^\n]*?(?=\s*(?:/\*|\n))|\s+|[{}();,]|"
                   r"[^/{}();,#\s]+|.", re.S)
DEFINITION = re.compile(r"(\w+(?:, \w+)*): +(.*)")


class Item:
    """A declaration, a member or a comment that stands by itself."""

    def __init__(self, code, comment, line):
        self.code, self.comment, self.line = code, comment, line
        self.members = []
        self.note = ""  # of a comment by itself before a member that has its own


def bare(comment):
    """A comment's lines without its frame, as one string."""
    return re.sub(r"\n[ \t]*\*? ?", "\n", comment[2:-2].replace("\t", " ")).strip()


def split(text, line, ends):
    """The items of a text, each ended by one of `ends` outside of brackets."""
    items, code, comment, depth, begin = [], "", "", 0, 0
    for token in (m.group() for m in TOKEN.finditer(text)):
        if token.startswith("/*"):
            words = bare(token)
            if depth:
                code += token
            elif items and begin == line and not code.strip():
                items[-1].comment += ("\n\n" if items[-1].comment else "") + words
            else:
                if comment:
                    items.append(Item("", comment, line))
                comment = words
        elif token.startswith("#define"):
            items.append(Item(token, comment, line))
            comment, begin = "", line
        elif token in ends and not depth:
            items.append(Item(code.strip(), comment, line))
            code, comment, begin = "", "", line + token.count("\n")
        else:
            depth += (token in ("{", "(")) - (token in ("}", ")"))
            code += token
            if comment and not code.strip() and "\n\n" in token:
                items.append(Item("", comment, line))
                comment = ""
        line += token.count("\n")
    if code.strip() and "," in ends:
        items.append(Item(code.strip(), comment, line))
    return items + ([Item("", comment, line)] if comment and not code.strip() else [])


def read_members(item):
    """Fills item.members from the braces of its code, which is left without them."""
    head, body = item.code.split("{", 1)
    first = item.line - item.code.count("\n") + head.count("\n")
    enum = head.startswith("enum")
    for member in split(body.rsplit("}", 1)[0], first, "," if enum else ";"):
        before, _, own = member.comment.rpartition("\n\n") if member.code else ("", "", "")
        if before:
            member.note, member.comment = before, own
        item.members.append(member)
    item.code = " ".join(head.split())
    if item.code == "enum" and len(item.members) == 1:  # a constant
        item.code = "#define " + item.members[0].code
        item.comment += item.members.pop().comment


def parse(path):
    """The pages of a header: (name, summary, items)."""
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"^#(?:ifdef|if) .*?^#endif", lambda m: "\n" * m.group().count("\n"), text,
                  flags=re.M | re.S)
    text = re.sub(r"^#(?!define \w+ )[^\n]*|PCR_API |PCR_MUST_CHECK ", "", text, flags=re.M)
    name = "libpcr" if path.stem == "pcr" else "pcr_" + path.stem
    licence, purpose, *items = split(text, 1, ";")
    if not licence.comment.startswith("SPDX"):
        sys.exit(f"{path}: begins without a licence line")
    summary, _, rest = purpose.comment.partition(".")
    pages = [(name, summary, [Item("", rest.strip(), 1)] if rest.strip() else [])]
    for item in items:
        mark = re.fullmatch(r"--- (\w+): (.*?) ---", item.comment) if not item.code else None
        if mark:
            pages.append((*mark.groups(), []))
        elif not re.fullmatch(r"\w+\.h|below", item.comment):
            if "{" in item.code:
                read_members(item)
            pages[-1][2].append(item)
    return [page for page in pages if page[2]]


def title(item):
    """What a declaration is called: "pcr_version()", "struct pcr_limits", "PCR_RETRY_NEVER"."""
    code = item.code
    if code.startswith("#define"):
        return code.split()[1]
    if code.startswith("typedef"):
        return re.search(r"\(\*(\w+)\)", code).group(1)
    if "(" in code:
        return re.search(r"(\w+)\(", code).group(1) + "()"
    if code == "enum":
        names = " ".join(m.code.split()[0] for m in item.members if m.code)
        return re.match(r"(\w*_)\w*( \1\w*)*$", names).group(1) + "*"
    return code


def roff(text, bold=True):
    """Text as troff takes it, names of functions and `code` in bold."""
    text = text.replace("\\", r"\e").replace("-", r"\-").replace("^", r"\(ha")
    text = text.replace("~", r"\(ti")
    if bold:
        text = re.sub(r"\b(pcr_\w+)\(\)", r"\\fB\1\\fP()", text)
        text = re.sub(r"`([^`]+)`", r"\\fB\1\\fP", text)
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.M)


def declaration(code):
    """A declaration in lines that fit a page."""
    code = re.sub(r"/\*.*?\*/", "", " ".join(code.split()))
    code = code.replace("( ", "(")
    code = code.replace(" ", "\0").replace(",\0", ", ")  # breaks only between arguments
    lines = textwrap.wrap(code + ";", 70, subsequent_indent="    ", break_long_words=False)
    return "\n".join(rf"\fB{roff(line, False)}\fP" for line in lines).replace("\0", " ")


def body(text, definitions=True):
    """A comment's text in man(7) macros."""
    out = []
    for paragraph in re.split(r"\n\s*\n|(?<=[.)])\s(?=Codes: )", text):
        lines = paragraph.split("\n")
        lines = [" ".join(lines)] if lines[0].startswith("Codes:") else lines
        if all(line.startswith(" ") for line in lines):
            out += [".PP", ".nf", *map(roff, lines), ".fi"]
            continue
        out.append(".PP")
        previous, inside = ".", False
        for line in lines:
            definition = DEFINITION.fullmatch(line) if definitions else None
            if line.startswith("- "):
                out += [r".IP \(bu 2", roff(line[2:])]
            elif definition and (inside or previous.endswith(".")):
                out += [".TP", rf"\fB{roff(definition.group(1))}\fP", roff(definition.group(2))]
                inside = True
            else:
                out += [".PP"] if inside and not line.startswith(" ") else []
                inside = inside and line.startswith(" ")
                out.append(roff(line.strip()))
            previous = line
    return "\n".join(out)


def members(item):
    """The list of a type's members or values."""
    out = []
    for member in item.members:
        if member.note or not member.code:
            out += [body(member.note or member.comment, False)]
        if not member.code:
            continue
        code = " ".join(re.sub(r"/\*.*?\*/", "", member.code, flags=re.S).split())
        text = body(member.comment, False).replace(".PP\n", "", 1).replace("\n.PP\n", "\n.IP\n")
        if "(*" in code:
            out += [".PP", ".nf", declaration(code), ".fi", ".RS", text, ".RE"]
        else:
            out += [".TP", rf"\fB{roff(code, False)}\fP", text]
    return "\n".join(out)


def write_page(folder, version, name, header, summary, items, related):
    lines = [r".\" SPDX-License-Identifier: BSD-2-Clause",
             f'.TH {name} 3 "" "libpcr {version}" "libpcr manual"', ".nh", ".ad l", ".SH NAME",
             rf"{name} \- {roff(summary[0].lower() + summary[1:])}",
             ".SH SYNOPSIS", ".nf", rf"\fB#include <pcr/{header}>\fP"]
    lines += [".PP\n" + declaration(item.code) for item in items if title(item).endswith("()")]
    lines += [".fi", ".SH DESCRIPTION"]
    for item in items:
        heading, _, rest = item.comment.partition("\n\n")
        if item.code:
            shown = f".nf\n{declaration(item.code)}\n.fi" if "typedef" in item.code else ""
            lines += [f".SS {roff(title(item), False)}", shown, body(item.comment), members(item)]
        elif rest and "\n" not in heading:
            lines += [f".SS {roff(heading)}", body(rest)]
        else:
            lines += [body(item.comment)]
    lines += [".SH SEE ALSO", re.sub(r"(\w+)(\(\d\))", r"\\fB\1\\fP\2", ",\n".join(related))]
    text = "\n".join(filter(None, lines)) + "\n"
    text = re.sub(r"(\.S[HS] [^\n]*\n)\.PP\n|\.PP\n(?=\.[TIP]P)", r"\1", text)
    (folder / f"{name}.3").write_text(text, encoding="utf-8")


def missing(path, items):
    """Complaints about what has no comment."""
    for item in items:
        if item.code and not item.comment:
            yield f"{path}:{item.line}: {title(item)} has no comment"
        for member in item.members:
            if member.code and not member.comment:
                yield f"{path}:{member.line}: {member.code} of {title(item)} has no comment"


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    version, folder = sys.argv[1], Path(sys.argv[2])
    headers = [Path(name) for name in sys.argv[3:]]
    pages = [(path, *page) for path in headers for page in parse(path)]
    complaints = [c for path, _, _, items in pages for c in missing(path, items)]
    if complaints:
        sys.exit("\n".join(complaints))
    folder.mkdir(exist_ok=True)
    places = {title(item).split()[-1].rstrip("()"): page[1] for page in pages
              for item in page[3] if item.code and not title(item).startswith("PCR_")}
    for path, name, summary, items in pages:
        if name == "libpcr":
            listed = "\n".join(f"{page}: {text}." for _, page, text, _ in pages if page != name)
            items = [*items, Item("", "Pages\n\n" + listed, 0)]
        mentioned = set(re.findall(r"\bpcr_\w+", str([vars(i) for i in items]) +
                                   str([vars(m) for i in items for m in i.members])))
        related = {"libpcr", *(places[word] for word in mentioned if word in places)} - {name}
        related = sorted(f"{page}(3)" for page in related) or ["pcrtool(1)"]
        write_page(folder, version, name, path.name, summary, items, related)
    for word, name in places.items():
        if word != name:
            (folder / f"{word}.3").write_text(f".so man3/{name}.3\n", encoding="utf-8")


main()
