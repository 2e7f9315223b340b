// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tests/bench/lib/listed_names.hpp"

#include "daemon/lists/build.hpp"
#include "daemon/lists/directory.hpp"
#include "daemon/lists/table_file.hpp"
#include "tests/bench/lib/measuring.hpp"

#include <fmt/format.h>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <fstream>
#include <ratio>
#include <string_view>

namespace schultor::bench {

std::string listed_name(std::size_t number) {
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

std::string list_name(std::size_t list) { return fmt::format("list{:02}", list); }

void write_names(const std::string& path, std::size_t names) {
  std::ofstream file(path, std::ios::binary);
  for (std::size_t i = 0; i < names; ++i) file << listed_name(i) << '\n';
}

void write_lists(const std::filesystem::path& folder, std::size_t names) {
  for (std::size_t list = 0; list < lists_in_table; ++list) {
    const auto own = folder / list_name(list);
    std::filesystem::create_directories(own);
    std::ofstream file(own / "domains", std::ios::binary);
    for (std::size_t i = list; i < names; i += lists_in_table) file << listed_name(i) << '\n';
  }
}

Compiling compile_lists(const std::filesystem::path& folder, const std::string& table) {
  Compiling result;
  result.seconds = timed<std::ratio<1>>([&] {
    const pid_t child = fork();
    if (child < 0) give_up("fork failed");
    if (child == 0) {
      const auto gathered = must(lists::gather(std::span(&folder, 1)));
      if (auto written = lists::write_table(table, must(lists::build(gathered.collection))); !written)
        give_up(written.error().what());
      _exit(0);
    }
    int status = 0;
    rusage usage{};
    if (wait4(child, &status, 0, &usage) != child || status != 0) give_up("compiling failed");
    result.peak_mb = static_cast<double>(usage.ru_maxrss) * 1024 / 1e6;
  });
  return result;
}

}  // namespace schultor::bench
