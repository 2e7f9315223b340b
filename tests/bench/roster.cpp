// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// How long a roster takes to read, next to a floor and a peer that read the same file in the same rounds: a loop that only
// splits each line at its commas, and Python's csv module. And what the roster adds to loading a whole configuration directory.
#include "daemon/config/file_readers.hpp"
#include "daemon/policy/compile.hpp"
#include "tests/bench/lib/measuring.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

using namespace schultor;
using namespace schultor::bench;

namespace {

constexpr std::size_t groups = 30;

std::string roster_of(std::size_t devices) {
  std::string text = "# the school's tablets\nmac,group,name\n";
  // 40503 is odd: each number below 2^16 comes once, and not in order.
  for (std::size_t i = 0; i < devices; ++i)
    text += fmt::format("02:77:00:{:02x}:{:02x}:{:02x},klasse-{},Tablet {} im Wagen {}\n", i >> 16U & 0xffU,
                        i * 40503 >> 8U & 0xffU, i * 40503 & 0xffU, i % groups, i, i % 40);
  return text;
}

void fill(const Directory& directory, const std::string& roster) {
  directory.write("gateway.toml",
                  "school = \"s\"\ntimezone = \"Europe/Berlin\"\n[lan]\ninterfaces = [\"lan0\"]\naddresses = [\"10.77.0.1/16\"]\n"
                  "[wan]\ninterface = \"wan0\"\n[resolver]\naddress = \"127.0.0.1:5335\"\n");
  directory.write("city.toml",
                  "revision = 1\n[cloud]\ndomains = [\"cloud.test\"]\n[[profile]]\nname = \"school\"\naccess = \"listed\"\n");
  std::string school = "[[group]]\nname = \"gaeste\"\nprofile = \"school\"\nunknown = true\n";
  for (std::size_t i = 0; i < groups; ++i) school += fmt::format("[[group]]\nname = \"klasse-{}\"\nprofile = \"school\"\n", i);
  directory.write("school.toml", school);
  directory.write("roster.csv", roster);
}

/// What any reader does at least: looks at each octet and keeps the fields.
std::size_t split_lines(std::string_view text) {
  std::vector<std::string> fields;
  while (!text.empty()) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    while (true) {
      const auto comma = line.find(',');
      fields.emplace_back(line.substr(0, comma));
      if (comma == std::string_view::npos) break;
      line.remove_prefix(comma + 1);
    }
  }
  return fields.size();
}

/// Python's own measure of reading the file, without its start; negative where there is no Python.
double python_ms(const std::filesystem::path& file) {
  const auto command = fmt::format(
      "python3 -c 'import csv, io, sys, time; text = open(sys.argv[1], newline=\"\").read(); start = time.perf_counter(); "
      "rows = list(csv.reader(io.StringIO(text))); print((time.perf_counter() - start) * 1000)' {} 2>/dev/null",
      file.string());
  struct Close {
    void operator()(std::FILE* pipe) const { pclose(pipe); }
  };
  const std::unique_ptr<std::FILE, Close> pipe(popen(command.c_str(), "r"));
  double milliseconds = -1;
  if (!pipe || std::fscanf(pipe.get(), "%lf", &milliseconds) != 1) return -1;
  return milliseconds;
}

void measure(std::size_t devices, std::size_t rounds) {
  const auto roster = roster_of(devices);
  const Directory with, without;
  fill(with, roster);
  fill(without, "mac,group,name\n");
  std::vector<double> ours, floor, python, whole, bare;
  for (std::size_t round = 0; round < rounds; ++round) {
    floor.push_back(timed<std::milli>([&] {
      if (split_lines(roster) != 3 * devices + 4) give_up("the floor lost a field");
    }));
    ours.push_back(timed<std::milli>([&] {
      config::Diagnostics faults;
      if (config::read_roster(roster, "roster.csv", faults).size() != devices || faults.has_errors())
        give_up("the reader lost a device");
    }));
    python.push_back(python_ms(with.path() / "roster.csv"));
    whole.push_back(timed<std::milli>([&] {
      const auto loaded = policy::load(with.path(), config::Need::everything());
      if (!loaded.policy || loaded.policy->devices.size() != devices) give_up("the directory did not load");
    }));
    bare.push_back(timed<std::milli>([&] {
      if (!policy::load(without.path(), config::Need::everything()).policy) give_up("the directory did not load");
    }));
  }
  const double read = median(ours), least = median(floor), peer = median(python), all = median(whole);
  fmt::print("{:>8} {:>12.2f} {:>9.1f}× {:>11} {:>12.2f} {:>16.2f}\n", devices, read, read / least,
             peer < 0 ? "none" : fmt::format("{:.2f}×", read / peer), all, median(bare));
}

}  // namespace

int main(int count, char** arguments) {
  const std::size_t rounds = arguments_of(count, arguments, 15).rounds;
  fmt::print(
      "A roster, read: medians of {} alternating rounds. Times are this machine's; the ratios are to splitting the same lines\n"
      "at their commas (the floor) and to Python's csv module.\n\n{:>8} {:>12} {:>10} {:>11} {:>12} {:>16}\n",
      rounds, "devices", "read, ms", "floor", "Python", "load, ms", "without one, ms");
  for (const std::size_t devices : {1'000U, 10'000U, 50'000U}) measure(devices, rounds);
  return 0;
}
