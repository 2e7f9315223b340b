# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""What is looked at beside the traffic: logs, processes, and what the city hears."""

import re
import statistics
from collections import Counter
from pathlib import Path

from lib.mqtt import MqttWatch
from lib.school import School, wait_for
from schoollab.instance import Instance
from schoollab.processes import pid_of

DAEMONS = ("schultord", "dns", "report")
PROCESSES = (*DAEMONS, "resolver", "broker")
EVENTS = "schultor/1/ggs-am-park/event/"
WARM_UP, SAMPLES = 5, 5
# schultord keeps the latest 2,048 events, half a kilobyte each; unbound and the gate keep the few names that are asked for here.
MOST_GROWTH = 2048  # KiB, from the median of the first samples after the warm-up to that of the last
MOST_DESCRIPTORS = 4  # likewise: what is open while a question or a call is under way


class Logs:
    """What the daemons say that is neither notice nor warning."""

    def __init__(self, school: School):
        self.school = school
        self.read = Counter()

    def faults(self, explained: list[str]) -> list[str]:
        found = []
        for part in DAEMONS:
            with open(self.school.directory / "log" / f"{part}.log", encoding="utf-8", errors="replace") as log:
                log.seek(self.read[part])
                text = log.read()
            whole = text.rpartition("\n")[0]
            self.read[part] += len(whole.encode()) + (1 if whole else 0)
            found += [f"{part} said: {line}" for line in whole.splitlines()
                      if not re.match("<[4-7]>", line) and not any(re.search(words, line) for words in explained)]
        return found


class Processes:
    """Memory and descriptors of each process, from its warm-up to its end. What it has of files counts for less when others have it too, so
    that their end is its growth: its own memory alone is taken (PSS of anonymous pages)."""

    def __init__(self, school: School):
        self.lab = Instance(school.name)
        self.samples: dict[tuple[str, int], list[tuple[int, int]]] = {}

    def sample(self) -> None:
        for part in PROCESSES:
            if named := self.lab.running(part):
                directory = Path("/proc", str(pid_of(named)))
                pss = re.search(r"^Pss_Anon: +(\d+) kB", (directory / "smaps_rollup").read_text(), re.MULTILINE)
                self.samples.setdefault((part, pid_of(named)), []).append((int(pss[1]), len(list((directory / "fd").iterdir()))))

    def compared(self):
        """(part, samples, PSS in KiB and descriptors after the warm-up, the same at the end) of each that lived long enough."""
        for (part, _), samples in self.samples.items():
            if len(samples) >= WARM_UP + 2 * SAMPLES:
                first, last = samples[WARM_UP:WARM_UP + SAMPLES], samples[-SAMPLES:]
                yield part, len(samples), *([statistics.median(column) for column in zip(*some)] for some in (first, last))

    def faults(self) -> list[str]:
        return [f"{part} grew within {count} steps from {first[0]:.0f} KiB and {first[1]:.0f} descriptors to {last[0]:.0f} and {last[1]:.0f}"
                for part, count, first, last in self.compared()
                if last[0] - first[0] > MOST_GROWTH or last[1] - first[1] > MOST_DESCRIPTORS]


class City:
    """Every event that schultord lists comes, and none comes twice while nothing broke the line."""

    def __init__(self, school: School, before: list[dict]):
        """What was listed `before` it began to listen is nothing that it waits for."""
        self.school = school
        self.before = {event["id"] for event in before}
        self.due: dict[str, str] = {}
        """id → what it is, of all that were listed since."""
        self.heard: dict[str, int] = {}
        """id → how often the line had been broken when it came."""
        self.breaks = self.again = 0
        self.watch: MqttWatch | None = school.watch()
        self.taken = 0

    def listed(self, events: list[dict]) -> None:
        for event in events:
            if event["id"] in self.before:
                continue
            self.due[event["id"]] = f"{event['kind']} {event.get('text') or event.get('result')} at {event['at']}"

    def faults(self) -> list[str]:
        if self.watch is None:
            return []
        found = []
        messages = self.watch.drain()
        for message in messages[self.taken:]:
            if not message.topic.startswith(EVENTS):
                continue
            id = message.json["id"]
            if self.heard.get(id) == self.breaks:
                found.append(f"the city heard of {id} twice")
            # What was on its way when the line broke comes again (MQTT's QoS 1), with the same id.
            self.again += id in self.heard
            self.heard[id] = self.breaks
        self.taken = len(messages)
        return found

    def missing(self) -> list[str]:
        self.found = self.faults()
        return [id for id in self.due if id not in self.heard]

    def wait_for_all(self, seconds: float = 90) -> list[str]:
        try:
            wait_for(lambda: not self.missing() or self.found, seconds)
        except TimeoutError:
            return [f"the city did not hear of {id}: {self.due[id]}" for id in self.missing()]
        return self.found

    def kill_broker(self) -> None:
        """While the reporter is stopped: what the broker has taken has come here before, and nothing is passed on before it is heard again."""
        self.found = self.faults()
        marker = "schultor/1/soak/marker"
        number = sum(message.topic == marker for message in self.watch.messages)
        self.school.exec("city", "mosquitto_pub", "-q", "1", "-t", marker, "-m", str(number))
        self.watch.wait_for(lambda message: message.topic == marker and message.payload == str(number))
        self.found += self.faults()
        self.breaks += 1
        self.school.kill("broker")
        self.watch.close()
        self.watch = None

    def broker_is_back(self) -> None:
        self.watch, self.taken = self.school.watch(), 0
