"""Reads a mail with Python's own email package: what it says is the yardstick for what Duplex wrote.

It shares no code with Duplex. Standard input holds the mail; standard output gets one JSON object:

  {"subject", "message_id", "in_reply_to", "date", "references": [id], "from" | "to" | "cc" | "bcc" | "reply_to":
   [{"name", "email"}], "headers": [[name, decoded value]], "text", "html", "structure": nested list of media types,
   "files": [{"type", "disposition", "name", "content_id", "sha256", "size"}], "defects": [name], "longest_line"}
"""

import email
import email.headerregistry
import email.parser
import email.policy
import hashlib
import json
import re
import sys

POLICY = email.policy.default.clone(utf8=True)


def people(head, name):
    field = head[name]
    if field is None:
        return []
    return [{"name": one.display_name, "email": one.addr_spec} for one in field.addresses]


def ids(head, name):
    return re.findall(r"<([^<>\s]+)>", str(head[name] or ""))


def structure(part):
    if part.is_multipart() and part.get_content_maintype() == "multipart":
        return [part.get_content_type()] + [structure(child) for child in part.iter_parts()]
    return part.get_content_type()


def all_defects(part, head=None):
    """Those of the fields as `head` has them; that an address is beyond ASCII is none."""
    found = [type(defect).__name__ for defect in part.defects]
    for value in (head or part).values():
        found += [type(defect).__name__ for defect in getattr(value, "defects", [])]
    if part.is_multipart():
        for child in part.iter_parts():
            found += all_defects(child)
    return [name for name in found if name != "NonASCIILocalPartDefect"]


def lines(part):
    return part.get_content().replace("\r\n", "\n")


def file(part):
    if part.get_content_type() == "message/rfc822":
        content = part.get_content().as_bytes()
    else:
        content = part.get_payload(decode=True)
    return {
        "type": part.get_content_type(),
        "disposition": part.get_content_disposition(),
        "name": part.get_filename(),
        "content_id": (ids(part, "Content-ID") or [None])[0],
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
    }


def main():
    raw = sys.stdin.buffer.read()
    mail = email.message_from_bytes(raw, policy=POLICY)
    # A header may hold UTF-8 as it is (RFC 6532): the reader of bytes would not see it.
    head = email.parser.HeaderParser(policy=POLICY).parsestr(raw.split(b"\r\n\r\n")[0].decode() + "\r\n\r\n")
    leaves = [part for part in mail.walk() if part.get_content_maintype() != "multipart"]
    written = [p for p in leaves if p.get_content_maintype() == "text" and p.get_content_disposition() is None]
    texts = [lines(p) for p in written if p.get_content_type() == "text/plain"]
    htmls = [lines(p) for p in written if p.get_content_type() == "text/html"]
    json.dump({
        "subject": str(head["Subject"] or ""),
        "message_id": (ids(head, "Message-ID") or [None])[0],
        "in_reply_to": (ids(head, "In-Reply-To") or [None])[0],
        "references": ids(head, "References"),
        "date": head["Date"].datetime.isoformat() if head["Date"] else None,
        "from": people(head, "From"),
        "to": people(head, "To"),
        "cc": people(head, "Cc"),
        "bcc": people(head, "Bcc"),
        "reply_to": people(head, "Reply-To"),
        "headers": [[name, str(value)] for name, value in head.items()],
        "text": texts[0] if texts else None,
        "html": htmls[0] if htmls else None,
        "structure": structure(mail),
        "files": [file(part) for part in leaves if part not in written],
        "defects": all_defects(mail, head),
        "longest_line": max(len(line) for line in raw.split(b"\r\n")),
        "bare_line_ends": len(re.findall(rb"(?<!\r)\n|\r(?!\n)", raw)),
    }, sys.stdout)


main()
