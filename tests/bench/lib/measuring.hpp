// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <initializer_list>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What benchmarks share: how they give up, a folder, a stopwatch, medians, and their arguments.
namespace schultor::bench {

/// Ends the benchmark with exit code 1.
[[noreturn]] void give_up(const std::string& why);

/// The value, or the end.
template <typename T>
T must(base::Result<T> result) {
  if (!result) give_up(result.error().what());
  return std::move(*result);
}

/// A folder that goes when the benchmark does.
class Directory {
public:
  Directory();
  ~Directory();
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::string file(std::string_view name) const { return (path_ / name).string(); }
  /// Writes a file and gives its path.
  std::string write(std::string_view name, std::string_view text) const;

private:
  std::filesystem::path path_;
};

/// How long `work` takes, in Ratio's part of a second: std::micro for microseconds.
template <typename Ratio, typename Work>
double timed(Work work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, Ratio>(std::chrono::steady_clock::now() - start).count();
}

/// Of at least one value; of an even number of them the upper one.
[[nodiscard]] double median(std::vector<double> values);

/// `--rounds N` and whatever else a benchmark takes.
struct Arguments {
  std::size_t rounds = 0;
  std::set<std::string, std::less<>> flags;
  std::map<std::string, std::string, std::less<>> values;
};
/// Without `--rounds` there are `rounds`. Ends the program with exit code 2 and its usage where a word is neither of `flags`
/// ("--small") nor of `values` ("--gate").
[[nodiscard]] Arguments arguments_of(int count, char** words, std::size_t rounds,
                                     std::initializer_list<std::string_view> flags = {},
                                     std::initializer_list<std::string_view> values = {});

}  // namespace schultor::bench
