# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""The city's view: what mosquitto_sub receives, line by line."""

import json
import select
import subprocess
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Message:
    topic: str
    payload: str
    retained: bool

    @property
    def json(self):
        return json.loads(self.payload)


class MqttWatch:
    """Subscribed when it exists. Close it (or use `with`) before the lab goes down."""

    def __init__(self, argv: list[str], topics: list[str]):
        words = [word for topic in topics for word in ("-t", topic)]
        self.process = subprocess.Popen([*argv, "-d", "-q", "1", "-F", "MESSAGE %r %t %p", *words], stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True)
        self.pending = b""
        self.messages: list[Message] = []
        """All that has been read so far."""
        try:
            self.read_until(lambda line: line.startswith("Subscribed"), 20)
        except BaseException:
            self.close()
            raise

    def line(self, deadline: float) -> str:
        while b"\n" not in self.pending:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise TimeoutError("the city received nothing that was waited for; so far: " + "; ".join(f"{m.topic} {m.payload}" for m in self.messages))
            data = self.process.stdout.read1(65536)
            if not data:
                raise ConnectionError("mosquitto_sub ended")
            self.pending += data
        raw, _, self.pending = self.pending.partition(b"\n")
        return raw.decode(errors="replace")

    def read_until(self, wanted, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not wanted(line := self.line(deadline)):
            self.keep(line)

    def keep(self, line: str) -> Message | None:
        if not line.startswith("MESSAGE "):
            return None
        _, retained, topic, payload = line.split(" ", 3)
        self.messages.append(Message(topic, payload, retained == "1"))
        return self.messages[-1]

    def wait_for(self, wanted, seconds: float = 30) -> Message:
        """The first message, of those already read or still to come, for which wanted(Message) holds. Raises TimeoutError."""
        for message in self.messages:
            if wanted(message):
                return message
        deadline = time.monotonic() + seconds
        while True:
            message = self.keep(self.line(deadline))
            if message and wanted(message):
                return message

    def drain(self) -> list[Message]:
        """All that has come until now, without waiting."""
        while b"\n" in self.pending or select.select([self.process.stdout], [], [], 0)[0]:
            try:
                self.keep(self.line(time.monotonic() + 0.1))
            except (TimeoutError, ConnectionError):
                break
        return self.messages

    def close(self) -> None:
        # Nothing of it is worth an orderly end, and mosquitto_sub can hang in one when a second signal meets it.
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
