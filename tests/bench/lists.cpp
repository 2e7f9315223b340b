// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// Looking names up in a table of all lists, next to a floor (hashing all suffixes of the same names and no more) and a peer (one
// std::unordered_set<std::string>, asked for each suffix), which answer the same questions in the same rounds. And what the table
// costs: its file, opening it, memory, and the time and memory that compiling takes, in a process of its own.
#include "daemon/lists/build.hpp"
#include "daemon/lists/directory.hpp"
#include "daemon/lists/table_file.hpp"

#include <fmt/format.h>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
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

namespace {

using Nanoseconds = std::chrono::duration<double, std::nano>;

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::exit(1);
}

template <typename T>
T must(base::Result<T> result) {
  if (!result) give_up(result.error().what());
  return std::move(*result);
}

/// A directory that goes when the program does.
class Directory {
public:
  Directory() {
    auto name = (std::filesystem::temp_directory_path() / "schultor-bench-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) give_up("there is no place for temporary files");
    path_ = name;
  }
  ~Directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
  std::filesystem::path path_;
};

template <typename Work>
double timed(Work work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return Nanoseconds(std::chrono::steady_clock::now() - start).count();
}

double thread_time() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

constexpr std::size_t lists_in_table = 20;

/// The n-th of the names: made up, of two to four labels, each number another one.
std::string name_of(std::size_t number) {
  std::uint64_t mixed = (number + 1) * 0x9e3779b97f4a7c15U;
  mixed ^= mixed >> 29U;
  auto word = [](std::uint64_t bits, std::size_t letters) {
    std::string text;
    for (; letters > 0; --letters, bits /= 26) text += static_cast<char>('a' + bits % 26);
    return text;
  };
  constexpr std::array<std::string_view, 5> ends{"com", "de", "net", "example", "org"};
  std::string name = fmt::format("{}{:x}.{}", word(mixed, 2 + mixed % 9), number, ends[mixed >> 40U & 3U]);
  if (mixed >> 50U & 1U) name.insert(0, word(mixed >> 20U, 3) + ".");
  if ((mixed >> 51U & 3U) == 0) name.insert(0, "www.");
  return name;
}

void write_lists(const std::filesystem::path& lists, std::size_t names) {
  for (std::size_t list = 0; list < lists_in_table; ++list) {
    const auto folder = lists / fmt::format("list{:02}", list);
    std::filesystem::create_directories(folder);
    std::ofstream file(folder / "domains", std::ios::binary);
    for (std::size_t i = list; i < names; i += lists_in_table) file << name_of(i) << '\n';
  }
}

/// Half of them listed, of which half have a label in front; half of them on no list.
std::vector<std::string> questions(std::size_t names, std::size_t count) {
  std::mt19937_64 random(7);
  std::vector<std::string> all;
  for (std::size_t i = 0; i < count; ++i) {
    const bool listed = (i & 1U) != 0;
    auto name = name_of(listed ? random() % names : names + random() % names);
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

struct Compiling {
  double seconds = 0;
  double peak_mb = 0;
};

/// Compiles in a process of its own, so that its memory can be told.
Compiling compile(const std::filesystem::path& lists, const std::string& output) {
  Compiling result;
  result.seconds = timed([&] {
                     const pid_t child = fork();
                     if (child < 0) give_up("fork failed");
                     if (child == 0) {
                       const auto gathered = must(lists::gather(lists));
                       const auto written = lists::write_table(output, must(lists::build(gathered.collection)));
                       if (!written) give_up(written.error().what());
                       _exit(0);
                     }
                     int status = 0;
                     rusage usage{};
                     if (wait4(child, &status, 0, &usage) != child || status != 0) give_up("compiling failed");
                     result.peak_mb = static_cast<double>(usage.ru_maxrss) * 1024 / 1e6;
                   }) /
                   1e9;
  return result;
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
    file_ = (directory_.path() / "lists.table").string();
    write_lists(lists, names);
    compiled_ = compile(lists, file_);
    open_and_ask_all();
    for (std::size_t i = 0; i < names; ++i) set_.insert(name_of(i));
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
    open_ms_ = timed([&] { mapped_ = must(lists::MappedTable::open(file_)); }) / 1e6;
    const auto& table = mapped_->table();
    if (table.names() != names_) give_up("the table lost a name");
    for (std::size_t i = 0; i < names_; ++i)
      if (table.look_up(name_of(i)).lists != lists::ListSet::of(i % lists_in_table))
        give_up("the table does not find " + name_of(i));
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

struct Options {
  std::size_t rounds = 7;
  bool small = false;
};

Options options_of(int count, char** arguments) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string_view word = arguments[i];
    const std::string_view value = i + 1 < count ? arguments[i + 1] : "";
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), options.rounds);
    if (word == "--small") {
      options.small = true;
    } else if (word == "--rounds" && error == std::errc{} && end == value.data() + value.size() && options.rounds > 0) {
      ++i;
    } else {
      std::fprintf(stderr, "usage: %s [--rounds N] [--small]\n", arguments[0]);
      std::exit(2);
    }
  }
  return options;
}

}  // namespace

int main(int count, char** arguments) {
  const auto options = options_of(count, arguments);
  fmt::print(
      "A name, looked up in all lists: medians of {} alternating rounds, ns a question. The floor is hashing alone, the peer\n"
      "std::unordered_set<std::string>. Half of the questions are listed, of two to five labels.\n\n"
      "{:>9} {:>10} {:>9} {:>9} {:>9} {:>9} {:>9} {:>10} {:>9}\n",
      options.rounds, "names", "lookup, ns", "floor, ns", "peer, ns", "file, MB", "grown, MB", "open, ms", "compile, s",
      "peak, MB");
  const auto sizes = options.small ? std::vector<std::size_t>{20'000} : std::vector<std::size_t>{1'000'000, 5'000'000};
  std::vector<std::unique_ptr<Subject>> subjects;
  for (const auto size : sizes) subjects.push_back(std::make_unique<Subject>(size, std::min<std::size_t>(size, 1'000'000)));
  for (std::size_t round = 0; round < options.rounds; ++round)
    for (const auto& subject : subjects) subject->round();
  for (const auto& subject : subjects) subject->print();
  if (options.small) return 0;
  std::vector<double> ratios;
  for (std::size_t i = 0; i < options.rounds; ++i) ratios.push_back(subjects[1]->times()[i] / subjects[0]->times()[i]);
  fmt::print("\nFive million names take {:.2f} times as long as one million.\n", median(ratios));
  return 0;
}
