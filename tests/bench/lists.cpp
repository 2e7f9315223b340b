// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// Looking names up in a table of all lists, next to a floor (hashing all suffixes of the same names and no more) and a peer (one
// std::unordered_set<std::string>, asked for each suffix), which answer the same questions in the same rounds. And what the table
// costs: its file, opening it, memory, and the time and memory that compiling takes, in a process of its own.
#include "daemon/lists/build.hpp"
#include "daemon/lists/directory.hpp"
#include "daemon/lists/table_file.hpp"
#include "tests/bench/lib/listed_names.hpp"
#include "tests/bench/lib/measuring.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

using namespace schultor;
using namespace schultor::bench;

namespace {

double thread_time() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

/// Half of them listed, of which half have a label in front; half of them on no list.
std::vector<std::string> questions(std::size_t names, std::size_t count) {
  std::mt19937_64 random(7);
  std::vector<std::string> all;
  for (std::size_t i = 0; i < count; ++i) {
    const bool listed = (i & 1U) != 0;
    auto name = listed_name(listed ? random() % names : names + random() % names);
    if ((i & 2U) != 0) name.insert(0, "cdn7.");
    all.push_back(std::move(name));
  }
  return all;
}

/// The program's memory that is in use, mapped files included.
double resident_mb() {
  std::ifstream status("/proc/self/statm");
  std::size_t size = 0, resident = 0;
  status >> size >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

bool holds(const std::unordered_set<std::string>& set, std::string_view name) {
  while (!name.empty()) {
    if (set.contains(std::string(name))) return true;
    const auto dot = name.find('.');
    name = dot == std::string_view::npos ? std::string_view{} : name.substr(dot + 1);
  }
  return false;
}

/// What any table does at least that is asked for all suffixes.
std::uint64_t hash_suffixes(const lists::SipKey& key, std::string_view name) {
  std::uint64_t all = 0;
  lists::NameHash hash(key);
  for (std::size_t i = name.size(); i > 0; --i) {
    hash.feed(static_cast<unsigned char>(name[i - 1]));
    if (i == 1 || name[i - 2] == '.') all ^= hash.hash();
  }
  return all;
}

/// One size: the table, its peer, and the questions for both.
class Subject {
public:
  Subject(std::size_t names, std::size_t asked) : names_(names), questions_(questions(names, asked)) {
    const auto lists = directory_.path() / "lists";
    file_ = directory_.file("lists.table");
    write_lists(lists, names);
    compiled_ = compile_lists(lists, file_);
    open_and_ask_all();
    for (std::size_t i = 0; i < names; ++i) set_.insert(listed_name(i));
    for (const auto& name : questions_)
      if (mapped_->table().look_up(name).lists.empty() == holds(set_, name)) give_up("the table and the set differ on " + name);
  }

  void round() {
    const auto& table = mapped_->table();
    floor_.push_back(each([&](const std::string& name) { return hash_suffixes(table.key(), name); }));
    ours_.push_back(each([&](const std::string& name) { return table.look_up(name).lists.words()[0]; }));
    peer_.push_back(each([&](const std::string& name) { return std::uint64_t{holds(set_, name)}; }));
    if (kept_ == 0) give_up("nothing was found");
  }

  void print() const {
    fmt::print("{:>9} {:>10.0f} {:>9.0f} {:>9.0f} {:>9.1f} {:>9.1f} {:>9.2f} {:>10.1f} {:>9.0f}\n", names_, median(ours_),
               median(floor_), median(peer_), static_cast<double>(std::filesystem::file_size(file_)) / 1e6, grown_mb_, open_ms_,
               compiled_.seconds, compiled_.peak_mb);
  }
  [[nodiscard]] const std::vector<double>& times() const { return ours_; }

private:
  void open_and_ask_all() {
    const double before = resident_mb();
    open_ms_ = timed<std::nano>([&] { mapped_ = must(lists::MappedTable::open(file_)); }) / 1e6;
    const auto& table = mapped_->table();
    if (table.names() != names_) give_up("the table lost a name");
    for (std::size_t i = 0; i < names_; ++i)
      if (table.look_up(listed_name(i)).lists != lists::ListSet::of(i % lists_in_table))
        give_up("the table does not find " + listed_name(i));
    grown_mb_ = resident_mb() - before;
  }

  /// Nanoseconds a question, of this thread's own time: others may use the machine.
  template <typename Ask>
  double each(Ask ask) {
    const auto start = thread_time();
    for (const auto& name : questions_) kept_ += ask(name);
    return (thread_time() - start) / static_cast<double>(questions_.size());
  }

  std::size_t names_;
  Directory directory_;
  std::string file_;
  Compiling compiled_;
  std::optional<lists::MappedTable> mapped_;
  std::unordered_set<std::string> set_;
  std::vector<std::string> questions_;
  double open_ms_ = 0;
  double grown_mb_ = 0;
  std::uint64_t kept_ = 0;
  std::vector<double> ours_, floor_, peer_;
};

}  // namespace

int main(int count, char** arguments) {
  const auto [rounds, flags, values] = arguments_of(count, arguments, 7, {"--small"});
  const bool small = flags.contains("--small");
  fmt::print(
      "A name, looked up in all lists: medians of {} alternating rounds, ns a question. The floor is hashing alone, the peer\n"
      "std::unordered_set<std::string>. Half of the questions are listed, of two to five labels.\n\n"
      "{:>9} {:>10} {:>9} {:>9} {:>9} {:>9} {:>9} {:>10} {:>9}\n",
      rounds, "names", "lookup, ns", "floor, ns", "peer, ns", "file, MB", "grown, MB", "open, ms", "compile, s", "peak, MB");
  const auto sizes = small ? std::vector<std::size_t>{20'000} : std::vector<std::size_t>{1'000'000, 5'000'000};
  std::vector<std::unique_ptr<Subject>> subjects;
  for (const auto size : sizes) subjects.push_back(std::make_unique<Subject>(size, std::min<std::size_t>(size, 1'000'000)));
  for (std::size_t round = 0; round < rounds; ++round)
    for (const auto& subject : subjects) subject->round();
  for (const auto& subject : subjects) subject->print();
  if (small) return 0;
  std::vector<double> ratios;
  for (std::size_t i = 0; i < rounds; ++i) ratios.push_back(subjects[1]->times()[i] / subjects[0]->times()[i]);
  fmt::print("\nFive million names take {:.2f} times as long as one million.\n", median(ratios));
  return 0;
}
