// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// What schultord costs by the number of devices in its roster: from its start until it says READY=1, which means that what holds
// now is in the kernel, and the memory that it has then. Each start is the real program in a network namespace of its own with a
// system bus of its own; first with a kernel that holds nothing, then once more with the kernel that the first one left. Beside it
// the floor, a schultord without a device; rounds alternate, medians. Memory is the proportional share: of libraries that other
// programs of the machine map as well it counts a part, so that differences are what to look at.
#include "daemon/base/unique_fd.hpp"
#include "netfilter/kernel/connection.hpp"
#include "netfilter/planner/build.hpp"
#include "tests/bench/lib/measuring.hpp"
#include "tests/bench/lib/process.hpp"
#include "tests/kernel/network_namespace.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

using namespace schultor;
using namespace schultor::bench;

namespace {

constexpr std::size_t groups = 30;
constexpr unsigned schultord_core = 1, bus_core = 0;

std::string text_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

void write_configuration(const Directory& directory, std::size_t devices) {
  directory.write("gateway.toml",
                  "school = \"s\"\ntimezone = \"Europe/Berlin\"\n[lan]\ninterfaces = [\"lan0\"]\naddresses = [\"10.77.0.1/16\"]\n"
                  "[wan]\ninterface = \"wan0\"\n[resolver]\naddress = \"127.0.0.1:5335\"\n");
  directory.write(
      "city.toml",
      "revision = 1\n[cloud]\ndomains = [\"cloud.test\"]\n[[profile]]\nname = \"school\"\naccess = \"listed\"\n"
      "allow = [\"lernen.test\"]\n[[profile]]\nname = \"leisure\"\naccess = \"open\"\n[[schedule]]\nname = \"weekdays\"\n"
      "windows = [\"Mon..Fri 08:00-17:00\"]\nduring = \"school\"\notherwise = \"leisure\"\n");
  std::string school = "[[group]]\nname = \"gaeste\"\nprofile = \"school\"\nunknown = true\n";
  for (std::size_t i = 0; i < groups; ++i) school += fmt::format("[[group]]\nname = \"klasse-{}\"\nschedule = \"weekdays\"\n", i);
  directory.write("school.toml", school);
  std::string roster = "mac,group,name\n";
  for (std::size_t i = 0; i < devices; ++i)
    roster += fmt::format("02:77:00:{:02x}:{:02x}:{:02x},klasse-{},Tablet {}\n", i >> 16U & 0xffU, i >> 8U & 0xffU, i & 0xffU,
                          i % groups, i);
  directory.write("roster.csv", roster);
}

/// A system bus that anybody may do anything on.
Process start_bus(const Directory& directory) {
  const auto socket = directory.file("bus.sock");
  const auto configuration = directory.write(
      "bus.conf", fmt::format("<busconfig><type>system</type><listen>unix:path={}</listen><auth>EXTERNAL</auth>\n"
                              "<policy context=\"default\"><allow user=\"*\"/><allow own=\"*\"/>\n"
                              "<allow send_type=\"method_call\"/><allow send_type=\"signal\"/>\n"
                              "<allow send_requested_reply=\"true\" send_type=\"method_return\"/>\n"
                              "<allow send_requested_reply=\"true\" send_type=\"error\"/>\n"
                              "<allow receive_type=\"method_call\"/><allow receive_type=\"method_return\"/>\n"
                              "<allow receive_type=\"error\"/><allow receive_type=\"signal\"/></policy></busconfig>\n",
                              socket));
  const auto log = directory.file("bus.log");
  auto bus = Process::start({"dbus-daemon", "--config-file=" + configuration, "--nofork", "--nopidfile"}, bus_core, log);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!std::filesystem::exists(socket)) {
    if (!bus.alive() || std::chrono::steady_clock::now() > deadline) give_up("dbus-daemon does not start: " + text_of(log));
    poll(nullptr, 0, 1);
  }
  setenv("DBUS_SYSTEM_BUS_ADDRESS", ("unix:path=" + socket).c_str(), 1);
  return bus;
}

/// NOTIFY_SOCKET of sd_notify(3).
class Readiness {
public:
  explicit Readiness(const std::string& path) : socket_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) give_up(path + " is too long for a socket");
    std::memcpy(address.sun_path, path.c_str(), path.size());
    unlink(path.c_str());
    if (!socket_ || bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      give_up("a socket for readiness");
    setenv("NOTIFY_SOCKET", path.c_str(), 1);
  }
  /// Until READY=1 comes from `process`, whose words are in `log`.
  void await(const Process& process, const std::string& log) const {
    std::array<char, 4096> text{};
    for (int seconds = 0; seconds < 60; ++seconds) {
      pollfd ready{socket_.get(), POLLIN, 0};
      if (poll(&ready, 1, 1000) > 0) {
        const auto size = recv(socket_.get(), text.data(), text.size(), 0);
        if (size > 0 && std::string_view(text.data(), static_cast<std::size_t>(size)).find("READY=1") != std::string_view::npos)
          return;
      } else if (!process.alive()) {
        break;
      }
    }
    give_up("schultord does not get ready: " + text_of(log));
  }

private:
  base::UniqueFd socket_;
};

/// A value for each round.
struct Start {
  std::vector<double> ready_ms, cpu_ms, pss_mb, peak_mb;
};
struct Row {
  Start first, again;
};

void start_once(const Directory& directory, const std::string& program, std::size_t devices, Start& start) {
  const Readiness readiness(directory.file("ready.sock"));
  const auto log = directory.file("schultord.log");
  std::optional<Process> schultord;
  start.ready_ms.push_back(timed<std::milli>([&] {
    schultord.emplace(Process::start(
        {program, "--config", directory.path().string(), "--state", directory.file("state"), "--runtime", directory.file("run"),
         "--table", directory.file("none"), "--list-status", directory.file("none"), "--gate-group", "root"},
        schultord_core, log));
    readiness.await(*schultord, log);
  }));
  start.cpu_ms.push_back(schultord->cpu_us() / 1000);
  start.pss_mb.push_back(schultord->pss_mb());
  start.peak_mb.push_back(schultord->peak_mb());

  std::size_t found = 0;
  for (const auto& set : must(must(netfilter::kernel::Connection::open()).read(netfilter::planner::table_name)).sets)
    if (set.declaration.name == "device_group") found += set.elements.size();
  if (found != devices) give_up(fmt::format("schultord is ready, and of {} devices {} are in the kernel", devices, found));
}

void measure(std::size_t devices, const std::string& program, Row& row) {
  test::enter_network_namespace();
  test::run(
      "ip link set lo up; ip link add lan0 type veth peer name wan0; ip link set lan0 up; ip link set wan0 up; "
      "ip address add 10.77.0.1/16 dev lan0");
  const Directory directory;
  write_configuration(directory, devices);
  for (const auto* name : {"state", "run"}) std::filesystem::create_directory(directory.path() / name);
  const auto bus = start_bus(directory);
  start_once(directory, program, devices, row.first);
  start_once(directory, program, devices, row.again);
}

void show(std::size_t devices, const char* what, const Start& start, const Start& floor) {
  const auto over = [](const std::vector<double>& value, const std::vector<double>& least) {
    return median(value) - median(least);
  };
  fmt::print("{:>8} {:>22} {:>10.1f} {:>+9.1f} {:>9.1f} {:>9.1f} {:>+8.1f} {:>9.1f}\n", devices, what, median(start.ready_ms),
             over(start.ready_ms, floor.ready_ms), median(start.cpu_ms), median(start.pss_mb), over(start.pss_mb, floor.pss_mb),
             median(start.peak_mb));
}

}  // namespace

int main(int count, char** words) {
  const auto arguments = arguments_of(count, words, 9, {}, {"--schultord"});
  const auto given = arguments.values.find("--schultord");
  const auto program = given != arguments.values.end() ? given->second : program_beside(words[0], "daemon/app/schultord");
  std::map<std::size_t, Row> rows{{0, {}}, {100, {}}, {1'000, {}}, {10'000, {}}};
  for (std::size_t round = 0; round < arguments.rounds; ++round)
    for (auto& [devices, row] : rows) measure(devices, program, row);
  fmt::print(
      "schultord by the number of its devices, in {} groups: from its start to READY=1, and its memory then. Medians of {}\n"
      "alternating rounds; beside each figure what it is more than without a device (the floor).\n\n"
      "{:>8} {:>22} {:>10} {:>9} {:>9} {:>9} {:>8} {:>9}\n",
      groups, arguments.rounds, "devices", "", "ready, ms", "more", "CPU, ms", "PSS, MB", "more", "peak, MB");
  for (const auto& [devices, row] : rows) {
    show(devices, "the kernel is empty", row.first, rows.at(0).first);
    show(devices, "the kernel holds all", row.again, rows.at(0).again);
  }
  return 0;
}
