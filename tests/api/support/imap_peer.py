"""An IMAP client of its own for the tests: what it says is the yardstick for what Duplex stored.

It shares no code with Duplex. Standard input holds one JSON object:

  {"host", "port", "tls": true|false, "certificate": path or null, "user", "password", "do": [step, …]}

and standard output gets the list of answers, one a step. Steps:

  {"op": "folders"}                              -> [{"name", "messages", "uid_validity", "flags"}]
  {"op": "mails", "folder"}                      -> [{"uid", "sha256", "size", "flags"}]
  {"op": "raw", "folder", "uid"}                 -> base64 of the mail
  {"op": "raws", "folder"}                       -> [base64 of each mail]
  {"op": "append", "folder", "mails": [base64], "flags": [flag]} -> {"count"}
  {"op": "flag", "folder", "uids", "add": [flag], "remove": [flag]} -> {}
  {"op": "move", "folder", "uids", "to"}         -> {}
  {"op": "delete", "folder", "uids"}             -> {}
  {"op": "create" | "remove", "folder"}          -> {}
  {"op": "rename", "folder", "to"}               -> {}

Folder names are plain text; the modified UTF-7 of the wire stays in here.
"""

import base64
import hashlib
import imaplib
import json
import re
import ssl
import sys
import time

imaplib._MAXLINE = 64 * 1024 * 1024

FETCH_AT_ONCE = 200


def to_wire(name):
    """Modified UTF-7 (RFC 3501 5.1.3), quoted."""
    out, run = [], []

    def flush():
        if run:
            packed = base64.b64encode("".join(run).encode("utf-16-be")).decode().rstrip("=")
            out.append("&" + packed.replace("/", ",") + "-")
            run.clear()

    for char in name:
        if " " <= char <= "~":
            flush()
            out.append("&-" if char == "&" else char)
        else:
            run.append(char)
    flush()
    return '"' + "".join(out).replace("\\", "\\\\").replace('"', '\\"') + '"'


def from_wire(name):
    def decode(match):
        packed = match.group(1).replace(",", "/")
        if not packed:
            return "&"
        return base64.b64decode(packed + "=" * (-len(packed) % 4)).decode("utf-16-be")

    return re.sub(r"&([^-]*)-", decode, name)


class Peer:
    def __init__(self, order):
        if order.get("tls"):
            context = ssl.create_default_context(cafile=order.get("certificate"))
            self.imap = imaplib.IMAP4_SSL(order["host"], order["port"], ssl_context=context, timeout=120)
        else:
            self.imap = imaplib.IMAP4(order["host"], order["port"], timeout=120)
        self.ask("login", order["user"], order["password"])

    def ask(self, verb, *arguments):
        kind, data = getattr(self.imap, verb)(*arguments)
        if kind != "OK":
            raise RuntimeError(f"{verb} {arguments[:2]}: {data}")
        return data

    def open(self, folder, readonly=True):
        return int(self.ask("select", to_wire(folder), readonly)[0])

    def listed(self):
        for line in self.ask("list"):
            if line is None:
                continue
            if isinstance(line, tuple):
                head, name = line[0].decode(), line[1].decode()
            else:
                head, name = line.decode(), None
            flags = re.match(r"\(([^)]*)\)", head).group(1).split()
            if name is None:
                name = re.match(r'\([^)]*\) (?:"[^"]*"|NIL) (.*)$', head).group(1)
                if name.startswith('"'):
                    name = name[1:-1].replace('\\"', '"').replace("\\\\", "\\")
            yield flags, from_wire(name)

    def folders(self, _):
        answer = []
        for flags, name in self.listed():
            if any(flag.lower() in ("\\noselect", "\\nonexistent") for flag in flags):
                continue
            status = self.ask("status", to_wire(name), "(MESSAGES UIDVALIDITY)")[0].decode()
            answer.append({
                "name": name,
                "messages": int(re.search(r"MESSAGES (\d+)", status).group(1)),
                "uid_validity": int(re.search(r"UIDVALIDITY (\d+)", status).group(1)),
                "flags": flags,
            })
        return sorted(answer, key=lambda folder: folder["name"])

    def mails(self, step):
        answer = []
        count = self.open(step["folder"])
        for first in range(1, count + 1, FETCH_AT_ONCE):
            span = f"{first}:{min(first + FETCH_AT_ONCE - 1, count)}"
            for part in self.ask("fetch", span, "(UID FLAGS BODY.PEEK[])"):
                if not isinstance(part, tuple):
                    continue
                head, raw = part[0].decode(), part[1]
                answer.append({
                    "uid": int(re.search(r"UID (\d+)", head).group(1)),
                    "sha256": hashlib.sha256(raw).hexdigest(),
                    "size": len(raw),
                    "flags": re.search(r"FLAGS \(([^)]*)\)", head).group(1).split(),
                })
        return sorted(answer, key=lambda mail: mail["uid"])

    def raw(self, step):
        self.open(step["folder"])
        data = self.ask("uid", "FETCH", str(step["uid"]), "(BODY.PEEK[])")
        return base64.b64encode(data[0][1]).decode()

    def raws(self, step):
        if self.open(step["folder"]) == 0:
            return []
        parts = self.ask("fetch", "1:*", "(BODY.PEEK[])")
        return [base64.b64encode(part[1]).decode() for part in parts if isinstance(part, tuple)]

    def append(self, step):
        flags = "(" + " ".join(step.get("flags", [])) + ")"
        # imaplib would rewrite line ends: the tests mean every byte they send.
        imaplib.MapCRLF = re.compile(rb"(?!)")
        for mail in step["mails"]:
            raw = base64.b64decode(mail)
            self.ask("append", to_wire(step["folder"]), flags, imaplib.Time2Internaldate(time.time()), raw)
        return {"count": len(step["mails"])}

    def flag(self, step):
        self.open(step["folder"], readonly=False)
        uids = ",".join(map(str, step["uids"]))
        for sign, flags in (("+", step.get("add", [])), ("-", step.get("remove", []))):
            if flags:
                self.ask("uid", "STORE", uids, sign + "FLAGS.SILENT", "(" + " ".join(flags) + ")")
        return {}

    def move(self, step):
        self.open(step["folder"], readonly=False)
        self.ask("uid", "MOVE", ",".join(map(str, step["uids"])), to_wire(step["to"]))
        return {}

    def delete(self, step):
        self.open(step["folder"], readonly=False)
        self.ask("uid", "STORE", ",".join(map(str, step["uids"])), "+FLAGS.SILENT", "(\\Deleted)")
        self.ask("expunge")
        return {}

    def create(self, step):
        self.ask("create", to_wire(step["folder"]))
        self.ask("subscribe", to_wire(step["folder"]))
        return {}

    def remove(self, step):
        self.ask("delete", to_wire(step["folder"]))
        return {}

    def rename(self, step):
        self.ask("rename", to_wire(step["folder"]), to_wire(step["to"]))
        return {}


VERBS = ("folders", "mails", "raw", "raws", "append", "flag", "move", "delete", "create", "remove", "rename")


def main():
    order = json.load(sys.stdin)
    if hasattr(imaplib, "Commands"):
        imaplib.Commands["MOVE"] = ("SELECTED",)
    peer = Peer(order)
    answers = []
    for step in order["do"]:
        if step["op"] not in VERBS:
            raise RuntimeError(f"no such step: {step['op']}")
        answers.append(getattr(peer, step["op"])(step))
    peer.imap.logout()
    json.dump(answers, sys.stdout)


main()
