# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""The morning that tools/demo shows. What it says it has observed, it has: every promise is checked on live connections."""

import os
import signal
import ssl
import sys
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path

sys.dont_write_bytecode = True
SOURCE = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(SOURCE / "tools"), str(SOURCE / "tests" / "system")]

from lib import dns  # noqa: E402
from lib.mqtt import Message, MqttWatch  # noqa: E402
from lib.school import School, internet4, internet6, tcp_info  # noqa: E402
from schoollab import clock  # noqa: E402
from schoollab.instance import Instance  # noqa: E402
from schoollab.names import CLOUD, GAME, SCHOOL, LabError  # noqa: E402

START, EIGHT = "2026-11-23 07:59:50", "2026-11-23 08:00:00"
# To open the connections and to see them at work; a machine that took longer to bring the school up begins once more.
LEAST_BEFORE_SECONDS = 6
GAME_PORT = 7777
TICK = 0.2
# From 08:00:00 to the reset: a tick, and what a busy machine needs.
RESET_SECONDS = 2.0
AFTERWARDS_SECONDS = 4.0
CITY_SECONDS = 30.0
CLASS, TEACHER = ("tablet1", "tablet2"), "tablet7"

COLOURED = sys.stdout.isatty() and "NO_COLOR" not in os.environ


def colour(text: str, code: str) -> str:
    return f"\033[{code}m{text}\033[0m" if COLOURED else text


def good(text: str) -> str:
    return colour(text, "32")


def bad(text: str) -> str:
    return colour(text, "31")


class GameServer:
    """Answers every move, in threads of its own, on both families."""

    def __init__(self, school: School):
        for address in (internet4(GAME), internet6(GAME)):
            listener = school.server("internet", address, GAME_PORT)
            listener.settimeout(None)
            threading.Thread(target=self.accept, args=(listener,), daemon=True).start()

    def accept(self, listener) -> None:
        while True:
            try:
                player, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self.play, args=(player,), daemon=True).start()

    def play(self, player) -> None:
        with player:
            try:
                while data := player.recv(4096):
                    player.sendall(data)
            except OSError:
                pass


class Game:
    """A tablet's open connection to the game: a move a tick, and the answer to it."""

    def __init__(self, school: School, tablet: str, address: str):
        self.tablet, self.moves, self.ended, self.how = tablet, 0, None, ""
        self.connection = school.connect(tablet, address, GAME_PORT)
        self.connection.settimeout(5)

    def tick(self, now: datetime) -> None:
        if self.ended:
            return
        try:
            self.connection.sendall(b"move")
            self.how = "" if self.connection.recv(4096) == b"move" else "closed"
        except OSError as error:
            self.how = "reset" if isinstance(error, ConnectionResetError) else str(error)
        if self.how:
            self.ended = now
        else:
            self.moves += 1


class Cloud:
    """A tablet's open TLS connection to the learning cloud: a page a tick."""

    def __init__(self, school: School, tablet: str, address: str):
        self.tablet, self.pages, self.trouble = tablet, 0, ""
        trust = ssl.create_default_context(cafile=str(school.directory / "ca" / "ca.crt"))
        self.connection = trust.wrap_socket(school.connect(tablet, address, 443), server_hostname="cloud.mnspro.test")
        self.connection.settimeout(5)

    def tick(self) -> None:
        if self.trouble:
            return
        try:
            self.connection.sendall(b"GET / HTTP/1.1\r\nHost: cloud.mnspro.test\r\n\r\n")
            page = self.connection.recv(4096)
            while page and b"(cloud.mnspro.test)" not in page:
                page += self.connection.recv(4096)
            self.pages += 1 if page else 0
            self.trouble = "" if page else "closed"
        except OSError as error:
            self.trouble = str(error)

    def retransmissions(self) -> int:
        return tcp_info(self.connection).retransmissions


class Morning:
    def __init__(self, school: School, watch: MqttWatch):
        self.school, self.watch = school, watch
        self.zone = clock.zone(SOURCE / "config" / "lab")
        self.eight = datetime.fromisoformat(EIGHT).replace(tzinfo=self.zone)
        if (self.eight - self.now()).total_seconds() < LEAST_BEFORE_SECONDS:
            school.time(START)
        self.told = 0
        self.observed: list[tuple[bool, str]] = []
        self.games: list[Game] = []
        self.clouds: list[Cloud] = []

    def now(self) -> datetime:
        """The gateway's clock."""
        return clock.now(Instance(self.school.name))

    def say(self, text: str, instant: datetime | None = None) -> None:
        instant = instant or self.now()
        print(f"{instant:%H:%M:%S}.{instant.microsecond // 100000}  {text}", flush=True)

    def observe(self, held: bool, text: str, told: str = "") -> None:
        self.observed.append((held, text))
        self.say((good("✓ ") if held else bad("✗ ")) + text + (f" ({told})" if told else ""))

    def tick(self) -> None:
        for game in self.games:
            playing = game.ended is None
            game.tick(self.now())
            if playing and game.ended:
                self.say(bad(f"{game.tablet}: game {game.how}") + f" after {game.moves} moves", game.ended)
        for connection in self.clouds:
            connection.tick()
        self.tell_city()

    def tell_city(self) -> None:
        """What the city has received since the last time."""
        new, self.told = self.watch.drain()[self.told:], len(self.watch.messages)
        for message in new:
            self.say(colour(f"city ← {message.topic}", "36") + f"  {in_short(message)}")

    def tick_until(self, instant: datetime) -> None:
        while (left := (instant - self.now()).total_seconds()) > 0:
            self.tick()
            time.sleep(min(TICK, left))

    def address(self, tablet: str, name: str, type: int = dns.A) -> str:
        answer = self.school.resolve(tablet, name, type)
        return answer.addresses[0] if answer.addresses else ""

    def before(self) -> None:
        """Leisure: everything is open."""
        GameServer(self.school)
        for tablet, type in ((CLASS[0], dns.A), (CLASS[1], dns.AAAA), (TEACHER, dns.A)):
            self.games.append(Game(self.school, tablet, self.address(tablet, "spiele.test", type)))
            if tablet != TEACHER:
                self.clouds.append(Cloud(self.school, tablet, self.address(tablet, "cloud.mnspro.test", type)))
        self.say(f"{CLASS[0]} (IPv4) and {CLASS[1]} (IPv6) of 3b play on spiele.test and hold a TLS connection to cloud.mnspro.test")
        self.say(f"{TEACHER} of lehrkraefte plays as well")
        while (left := (self.eight - self.now()).total_seconds()) > 0:
            second = int(left)
            self.tick_until(self.eight - timedelta(seconds=second))
            if second:
                moves, pages = sum(game.moves for game in self.games), sum(connection.pages for connection in self.clouds)
                self.say(f"{second:2} s to school: {moves} moves answered, {pages} pages from the cloud, "
                         f"{sum(game.ended is None for game in self.games)} games and {sum(not c.trouble for c in self.clouds)} cloud connections open")

    def after(self) -> None:
        self.say(colour("08:00: school", "1"), self.eight)
        pages = [connection.pages for connection in self.clouds]
        deadline = self.eight + timedelta(seconds=RESET_SECONDS)
        while any(game.ended is None for game in self.games if game.tablet in CLASS) and self.now() < deadline:
            self.tick()
            time.sleep(TICK)
        for game in self.games:
            if game.tablet in CLASS:
                in_time = game.ended is not None and self.eight <= game.ended < deadline
                self.observe(game.how == "reset" and in_time and game.moves > 0, f"{game.tablet}: the open game was reset at its next packet")
        self.names()
        self.tick_until(self.eight + timedelta(seconds=AFTERWARDS_SECONDS))
        held, sent_again = self.server_retransmissions()
        for connection, old in zip(self.clouds, pages):
            again = connection.retransmissions()
            self.observe(not connection.trouble and connection.pages > old > 0 and again == 0,
                         f"{connection.tablet}: the open cloud connection goes on: {connection.trouble or 'no reset'}, {again} retransmissions",
                         f"{old} pages before 08:00, {connection.pages - old} since")
        self.observe(held == len(self.clouds) and sent_again == 0, f"the cloud holds {held} connections: {sent_again} retransmissions")
        teacher = next(game for game in self.games if game.tablet == TEACHER)
        self.observe(teacher.ended is None and teacher.moves > 0, f"{TEACHER}: the teacher's game goes on", f"{teacher.moves} moves")

    def names(self) -> None:
        tablet = CLASS[0]
        refused = self.school.resolve(tablet, "spiele.test")
        self.observe(refused.rcode == dns.NXDOMAIN and not refused.addresses and dns.EDE_FILTERED in refused.ede,
                     f"{tablet}: spiele.test is refused: NXDOMAIN, filtered (EDE 17)")
        page = self.school.exec(tablet, "curl", "-sS", "-m", "5", "http://lernen.test/", check=False)
        self.observe(page.returncode == 0 and "lernen.test" in page.stdout, f"{tablet}: lernen.test opens", page.stdout.strip() or page.stderr.strip())
        try:
            self.school.connect(tablet, internet4(GAME), GAME_PORT, seconds=5).close()
            trouble = "connected"
        except OSError as error:
            trouble = error.strerror or str(error)
        self.observe(trouble == "Connection refused", f"{tablet}: the game's address, typed in by hand, is refused", trouble)
        answer = self.school.resolve(TEACHER, "spiele.test")
        self.observe(answer.addresses == [internet4(GAME)], f"{TEACHER}: spiele.test still opens for the teacher")

    def exam(self) -> None:
        """A teacher takes a class out of its hours."""
        tablet = CLASS[0]
        pages = [connection.pages for connection in self.clouds]
        set_by_hand = self.school.exec("gateway", "schultorctl", "override", "--group", "3b", "--profile", "exam", "--for", "45m",
                                       "--reason", "Mathearbeit", check=False)
        self.say(colour("an exam in 3b: schultorctl override --group 3b --profile exam --for 45m", "1"))
        self.observe(set_by_hand.returncode == 0, "the override is set", (set_by_hand.stdout or set_by_hand.stderr).strip())
        refused = self.school.resolve(tablet, "lernen.test")
        self.observe(refused.rcode == dns.NXDOMAIN, f"{tablet}: lernen.test is refused in an exam")
        self.tick_until(self.now() + timedelta(seconds=AFTERWARDS_SECONDS))
        for connection, old in zip(self.clouds, pages):
            self.observe(not connection.trouble and connection.pages > old, f"{connection.tablet}: the cloud goes on in an exam", connection.trouble)
        cleared = self.school.exec("gateway", "schultorctl", "override", "--group", "3b", "--clear", check=False)
        self.observe(cleared.returncode == 0, "the override is cleared", cleared.stderr.strip())
        self.observe(bool(self.address(tablet, "lernen.test")), f"{tablet}: lernen.test opens again")

    def server_retransmissions(self) -> tuple[int, int]:
        """How many connections the cloud's servers hold, and how many segments they had to send again."""
        shown = self.school.exec("internet", "ss", "-Htin", "state", "established", "sport", "=", ":443").stdout
        again = [word.rpartition("/")[2] for word in shown.split() if word.startswith("retrans:")]
        return sum("rto:" in line for line in shown.splitlines()), sum(int(count) for count in again)

    def city(self) -> None:
        prefix = f"schultor/1/{SCHOOL}/"

        def is_event(message: Message) -> bool:
            return (message.topic == f"{prefix}event/mode" and (message.json["group"], message.json["profile"]) == ("3b", "school")
                    and datetime.fromisoformat(message.json["at"]) == self.eight)

        def is_state(message: Message) -> bool:
            return message.topic == f"{prefix}state" and modes(message).get("3b") == "school"

        def is_override(message: Message) -> bool:
            return (message.topic == f"{prefix}event/override" and (message.json["group"], message.json["result"]) == ("3b", "set")
                    and "Mathearbeit" not in message.payload)
        for wanted, text in ((is_override, "the city has the override, without its reason"),
                             (is_event, "the city has the event: 3b went to school mode"), (is_state, "the city has the state: 3b is in school mode")):
            try:
                self.watch.wait_for(wanted, CITY_SECONDS)
                trouble = ""
            except (TimeoutError, ConnectionError) as error:
                trouble = str(error)
            self.tell_city()
            self.observe(not trouble, text, trouble[:200])


def modes(message: Message) -> dict[str, str]:
    return {group["name"]: group["profile"] for group in message.json.get("groups", [])}


def in_short(message: Message) -> str:
    """A message's payload; of a state, which is long, what the groups are in."""
    if message.topic.endswith("/state"):
        return ", ".join(f"{group}: {mode}" for group, mode in modes(message).items()) or message.payload
    if message.topic.endswith("/event/mode"):
        # After a start it is not known what was before.
        return "{group}: {previous} → {profile} at {at} ({because})".format(**{"previous": "?"} | message.json)
    if message.topic.endswith("/event/override"):
        return "{group}: {profile} {result}, until {until}".format(**message.json)
    return message.payload[:200]


def show() -> bool:
    begun = time.monotonic()
    print("A school on this machine: bringing up a gateway, 8 tablets, an internet and the city …", flush=True)
    with School(at=START) as school, school.watch("schultor/#") as watch:
        morning = Morning(school, watch)
        morning.say(f"Monday, 2026-11-23. The school is up ({time.monotonic() - begun:.1f} s): real nf_tables, unbound, nginx, Mosquitto")
        morning.before()
        morning.after()
        morning.exam()
        morning.city()
        missing = [text for held, text in morning.observed if not held]
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    print()
    for text in missing:
        print(bad("not observed: ") + text)
    print(good(f"All {len(morning.observed)} observations were made.") if not missing else bad(f"{len(missing)} of {len(morning.observed)} failed."))
    return not missing


def main() -> int:
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    try:
        return 0 if show() else 1
    except KeyboardInterrupt:
        print("tools/demo: interrupted; everything is removed", file=sys.stderr)
        return 130
    except (AssertionError, LabError, OSError) as error:
        print(f"tools/demo: {error}", file=sys.stderr)
        return 1


sys.exit(main())
