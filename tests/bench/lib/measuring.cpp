// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tests/bench/lib/measuring.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace schultor::bench {

void give_up(const std::string& why) {
  std::fprintf(stderr, "bench: %s\n", why.c_str());
  std::exit(1);
}

Directory::Directory() {
  auto name = (std::filesystem::temp_directory_path() / "schultor-bench-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) give_up("there is no place for temporary files");
  path_ = name;
}

Directory::~Directory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string Directory::write(std::string_view name, std::string_view text) const {
  std::ofstream(path_ / name, std::ios::binary) << text;
  return file(name);
}

double median(std::vector<double> values) {
  if (values.empty()) give_up("nothing was measured");
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

Arguments arguments_of(int count, char** words, std::size_t rounds, std::initializer_list<std::string_view> flags,
                       std::initializer_list<std::string_view> values) {
  Arguments arguments{rounds, {}, {}};
  const auto among = [](std::initializer_list<std::string_view> known, std::string_view word) {
    return std::find(known.begin(), known.end(), word) != known.end();
  };
  const auto number = [&](std::string_view text) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), arguments.rounds);
    return error == std::errc{} && end == text.data() + text.size() && arguments.rounds > 0;
  };
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    const bool more = i + 1 < count;
    if (among(flags, word)) {
      arguments.flags.emplace(word);
    } else if (more && among(values, word)) {
      arguments.values.insert_or_assign(std::string(word), words[++i]);
    } else if (!more || word != "--rounds" || !number(words[++i])) {
      std::fprintf(stderr, "usage: %s [--rounds N]", words[0]);
      for (const auto flag : flags) std::fprintf(stderr, " [%s]", std::string(flag).c_str());
      for (const auto value : values) std::fprintf(stderr, " [%s …]", std::string(value).c_str());
      std::fputs("\n", stderr);
      std::exit(2);
    }
  }
  return arguments;
}

}  // namespace schultor::bench
