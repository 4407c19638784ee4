"""What the throwaway servers of the tests and benches have in common.

A private server lives in a folder of its own under the temporary folder, listens on free loopback
ports, runs as an unprivileged user and ends with whoever started it: when its standard input closes,
which also happens when the parent is killed, the server stops and its folder is removed.

Standard output carries one JSON object a line: first what a client has to know, then one answer for
each command read from standard input (`start`, `stop`, `kill`, `restart`).
"""

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

START_TIMEOUT_SECONDS = 60


def unprivileged_user():
    """The account that runs servers: ourselves, or for root one that is not root."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    wanted = [os.environ.get("DUPLEX_TEST_USER"), "duplex-test", "postgres", "nobody"]
    for name in filter(None, wanted):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    sys.exit("no unprivileged user found: set DUPLEX_TEST_USER to one that exists")


def free_port():
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port):
    """Whether somebody accepts connections on this loopback port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


class PrivateServer:
    """A server process in a folder of its own; subclasses say how it is set up and started."""

    name = "server"
    stop_signal = signal.SIGTERM
    stop_timeout_seconds = 20

    def __init__(self):
        self.user = unprivileged_user()
        self.process = None
        self.root = tempfile.mkdtemp(prefix=f"duplex-{self.name}-")
        os.chmod(self.root, 0o755)
        self.give(self.root)

    def command(self):
        """The command line that runs the server in the foreground."""
        raise NotImplementedError

    def ready(self):
        """Whether the server takes clients."""
        raise NotImplementedError

    def facts(self):
        """What a client has to know, as a JSON object."""
        raise NotImplementedError

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def folder(self, *parts):
        """Makes a folder that the server may write to."""
        path = self.path(*parts)
        os.makedirs(path, exist_ok=True)
        self.give(path)
        return path

    def write(self, name, text):
        path = self.path(name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        self.give(path)
        return path

    def give(self, path):
        """Hands a path to the user that runs the server."""
        if os.geteuid() == 0:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)

    def as_user(self):
        """Arguments for `subprocess` that drop root's rights."""
        where = {"cwd": self.root, "env": {**os.environ, "HOME": self.root, "LC_ALL": "C.UTF-8"}}
        if os.geteuid() != 0:
            return where
        return {**where, "user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}

    def run(self, *command):
        """Runs a helper to its end as the server's user; on failure its words are the error."""
        done = subprocess.run(command, **self.as_user(), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode != 0:
            sys.exit(f"{command[0]} failed:\n{done.stdout.decode(errors='replace')}")

    def start(self):
        if self.process is not None:
            return
        with open(self.path("log"), "ab") as log:
            self.give(self.path("log"))
            self.process = subprocess.Popen(self.command(), **self.as_user(), stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                with open(self.path("log"), encoding="utf-8", errors="replace") as log:
                    words = log.read()[-4000:]
                self.kill()
                raise RuntimeError(f"{self.name} did not start:\n{words}")
            time.sleep(0.02)

    def stop(self):
        """Ends the server in good order."""
        if self.process is None:
            return
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(self.stop_timeout_seconds)
        except subprocess.TimeoutExpired:
            pass
        self.kill()

    def kill(self):
        """Ends the server and all its helpers at once, as a power failure would."""
        if self.process is None:
            return
        for pid in self.session():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait()
        self.process = None

    def session(self):
        """The processes of the session that the server leads."""
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as stat:
                    fields = stat.read().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == self.process.pid:
                yield int(entry)

    def restart(self):
        self.stop()
        self.start()

    def serve(self):
        """Runs until standard input closes, obeying one command a line."""
        commands = {"start": self.start, "stop": self.stop, "kill": self.kill, "restart": self.restart}
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, lambda *_: sys.exit(0))
        try:
            self.start()
            print(json.dumps(self.facts()), flush=True)
            for line in sys.stdin:
                word = line.strip()
                if word not in commands:
                    print(json.dumps({"error": f"no such command: {word}"}), flush=True)
                    continue
                try:
                    commands[word]()
                    print(json.dumps({"done": word}), flush=True)
                except RuntimeError as error:
                    print(json.dumps({"error": str(error)}), flush=True)
        except RuntimeError as error:
            sys.exit(str(error))
        finally:
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)
            self.stop()
            shutil.rmtree(self.root, ignore_errors=True)
