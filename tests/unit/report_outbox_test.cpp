// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/report/outbox.hpp"

#include "tests/catch.hpp"

#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <random>
#include <set>
#include <sstream>

using namespace schultor::report;
using namespace std::chrono_literals;

namespace {

constexpr Outbox::Instant monday{1'795'417'200s};

struct Directory {
  std::filesystem::path path;
  Directory() {
    std::string name = (std::filesystem::temp_directory_path() / "schultor-outbox-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory() { std::filesystem::remove_all(path); }
  [[nodiscard]] std::filesystem::path file() const { return path / "outbox.db"; }
};

Outbox open(const Directory& directory, Outbox::Limits limits = {}) {
  auto outbox = Outbox::open(directory.file(), limits);
  REQUIRE(outbox);
  return std::move(*outbox);
}

Outbox::Message message(const std::string& id) { return {id, "schultor/1/s/event/mode", "{\"id\":\"" + id + "\"}"}; }

Outbox::Added add(Outbox& outbox, const std::string& id, Outbox::Instant at = monday) {
  const std::array one{message(id)};
  const auto added = outbox.add(one, at);
  REQUIRE(added);
  return *added;
}

std::vector<Outbox::Row> all_pending(const Outbox& outbox) {
  auto rows = outbox.pending(0, 1'000'000);
  REQUIRE(rows);
  return std::move(*rows);
}

void deliver_all(Outbox& outbox, Outbox::Instant at = monday) {
  std::vector<std::int64_t> numbers;
  for (const auto& row : all_pending(outbox)) numbers.push_back(row.number);
  REQUIRE(outbox.deliver(numbers, at));
}

void execute(const Directory& directory, const char* sql) {
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open(directory.file().c_str(), &database) == SQLITE_OK);
  CHECK(sqlite3_exec(database, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(database);
}

/// Adds, and delivers now and then; says so after each was done, until it is killed.
[[noreturn]] void write_until_killed(const std::filesystem::path& file, int round, int say) {
  auto outbox = Outbox::open(file);
  if (!outbox) _exit(1);
  const auto tell = [say](const std::string& line) {
    if (write(say, line.data(), line.size()) != static_cast<ssize_t>(line.size())) _exit(2);
  };
  for (int i = 0;; ++i) {
    const std::string id = std::to_string(round) + "." + std::to_string(i);
    const std::array one{message(id)};
    if (!outbox->add(one, monday)) _exit(3);
    tell("added " + id + "\n");
    if (i % 3 != 2) continue;
    const auto rows = outbox->pending(0, 2);
    if (!rows) _exit(4);
    std::vector<std::int64_t> numbers;
    std::string told;
    for (const auto& row : *rows) {
      numbers.push_back(row.number);
      told += "delivered " + row.payload.substr(7, row.payload.size() - 9) + "\n";
    }
    if (!outbox->deliver(numbers, monday)) _exit(5);
    tell(told);
  }
}

/// Runs one writer and kills it after it has said `lines` lines; what it said until then.
std::string run_and_kill(const std::filesystem::path& file, int round, int lines) {
  std::array<int, 2> pipe_ends{};
  REQUIRE(pipe(pipe_ends.data()) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    close(pipe_ends[0]);
    write_until_killed(file, round, pipe_ends[1]);
  }
  close(pipe_ends[1]);
  std::string said;
  std::array<char, 4096> buffer{};
  bool killed = false;
  for (;;) {
    const auto size = read(pipe_ends[0], buffer.data(), buffer.size());
    if (size <= 0) break;
    said.append(buffer.data(), static_cast<std::size_t>(size));
    if (!killed && std::count(said.begin(), said.end(), '\n') >= lines) {
      kill(child, SIGKILL);
      killed = true;
    }
  }
  close(pipe_ends[0]);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  return said;
}

}  // namespace

SCENARIO("what is written waits in its order until it is delivered, also over a restart") {
  const Directory directory;
  {
    auto outbox = open(directory);
    CHECK(outbox.depth() == 0);
    for (const char* id : {"c", "a", "b"}) CHECK(add(outbox, id).kept == 1);
    CHECK(outbox.depth() == 3);
  }
  auto outbox = open(directory);
  CHECK(outbox.depth() == 3);
  auto rows = all_pending(outbox);
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].payload == message("c").payload);
  CHECK(rows[2].payload == message("b").payload);
  CHECK(rows[0].topic == "schultor/1/s/event/mode");

  const std::array first{rows[0].number};
  REQUIRE(outbox.deliver(first, monday));
  CHECK(outbox.depth() == 2);
  REQUIRE(outbox.deliver(first, monday));
  CHECK(outbox.depth() == 2);
  const auto rest = outbox.pending(rows[1].number, 10);
  REQUIRE(rest);
  REQUIRE(rest->size() == 1);
  CHECK((*rest)[0].payload == message("b").payload);
}

SCENARIO("an event that is raised, listed and derived again is sent once") {
  const Directory directory;
  auto outbox = open(directory);
  CHECK(add(outbox, "x").kept == 1);
  CHECK(add(outbox, "x").known == 1);
  deliver_all(outbox);
  CHECK(outbox.depth() == 0);
  CHECK(add(outbox, "x").known == 1);
  const std::vector listed{message("x"), message("y"), message("y")};
  const auto reconciled = outbox.reconcile(listed, monday);
  REQUIRE(reconciled);
  CHECK(reconciled->known == 2);
  CHECK(reconciled->kept == 1);
  CHECK(outbox.depth() == 1);
}

SCENARIO("a delivered id is forgotten when it is old and schultord no longer lists it") {
  const Directory directory;
  auto outbox = open(directory);
  add(outbox, "listed");
  add(outbox, "gone");
  deliver_all(outbox);
  const std::vector listed{message("listed")};
  REQUIRE(outbox.reconcile(listed, monday + 20 * 24h));
  CHECK(add(outbox, "gone").known == 1);
  REQUIRE(outbox.reconcile(listed, monday + 40 * 24h));
  CHECK(add(outbox, "listed").known == 1);
  CHECK(add(outbox, "gone").kept == 1);
}

SCENARIO("delivered ids fill no disk") {
  const Directory directory;
  auto outbox = open(directory, {100, 30 * 24h, 5});
  for (int i = 0; i < 20; ++i) {
    add(outbox, std::to_string(i));
    deliver_all(outbox, monday + std::chrono::seconds(i));
  }
  REQUIRE(outbox.reconcile({}, monday + 1h));
  CHECK(add(outbox, "15").known == 1);
  CHECK(add(outbox, "14").kept == 1);
}

SCENARIO("a full outbox refuses the newest and says so, and takes it when there is room") {
  const Directory directory;
  auto outbox = open(directory, {2, 30 * 24h, 100});
  const std::vector three{message("1"), message("2"), message("3")};
  auto added = outbox.add(three, monday);
  REQUIRE(added);
  CHECK(added->kept == 2);
  CHECK(added->refused == 1);
  deliver_all(outbox);
  added = outbox.reconcile(three, monday);
  REQUIRE(added);
  CHECK(added->known == 2);
  CHECK(added->kept == 1);
}

SCENARIO("a damaged outbox is set aside and begun anew") {
  const Directory directory;
  {
    auto outbox = open(directory);
    for (int i = 0; i < 200; ++i) add(outbox, std::to_string(i));
  }
  const auto size = std::filesystem::file_size(directory.file());
  REQUIRE(size > 8192);
  const auto offset = GENERATE(std::uint64_t{0}, std::uint64_t{4096}, std::uint64_t{8192});
  {
    std::fstream file(directory.file(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(offset));
    const std::string garbage(4096, '\x5a');
    file.write(garbage.data(), static_cast<std::streamsize>(garbage.size()));
  }
  auto outbox = open(directory);
  CHECK(outbox.set_aside() == directory.path / "outbox.db.damaged-1");
  CHECK(std::filesystem::file_size(outbox.set_aside()) == size);
  CHECK(outbox.depth() == 0);
  CHECK(add(outbox, "anew").kept == 1);
}

SCENARIO("an outbox of a newer version is left alone") {
  const Directory directory;
  {
    auto outbox = open(directory);
    add(outbox, "x");
  }
  execute(directory, "PRAGMA user_version = 99");
  const auto refused = Outbox::open(directory.file());
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().what(), Catch::Contains("newer version"));
  execute(directory, "PRAGMA user_version = 1");
  CHECK(open(directory).depth() == 1);
}

SCENARIO("an outbox that cannot be opened says where") {
  const auto refused = Outbox::open("/proc/nowhere/outbox.db");
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().what(), Catch::Contains("/proc/nowhere/outbox.db"));
}

SCENARIO("fifty times killed in the middle of writing: nothing is lost, nothing is kept twice") {
  const Directory directory;
  std::mt19937 random{20'261'123};
  std::set<std::string> added;
  std::set<std::string> delivered;
  for (int round = 0; round < 50; ++round) {
    std::istringstream said(run_and_kill(directory.file(), round, std::uniform_int_distribution(1, 40)(random)));
    std::string word;
    std::string id;
    // The last line may be cut short: it ends without its newline, and is no confirmation then.
    for (std::string line; std::getline(said, line) && !said.eof();) {
      std::istringstream(line) >> word >> id;
      (word == "added" ? added : delivered).insert(id);
    }
    auto outbox = open(directory);
    REQUIRE(outbox.set_aside().empty());
    std::set<std::string> pending;
    for (const auto& row : all_pending(outbox)) {
      id = row.payload.substr(7, row.payload.size() - 9);
      CHECK(pending.insert(id).second);
      CHECK(delivered.count(id) == 0);
    }
    REQUIRE(pending.size() == outbox.depth());
    for (const auto& one : added) CHECK(add(outbox, one).known == 1);
  }
  CHECK(added.size() > 100);
  CHECK(delivered.size() > 20);
}
