// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tests/catch.hpp"

#include "daemon/base/file.hpp"

#include <filesystem>

using namespace schultor::base;
using Catch::Matchers::Contains;

SCENARIO("a file is read whole, up to its limit, whatever it tells of its size") {
  std::string directory = (std::filesystem::temp_directory_path() / "schultor-file-XXXXXX").string();
  REQUIRE(mkdtemp(directory.data()) != nullptr);
  const auto path = directory + "/file";
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{1000}}) {
    const std::string text(size, 'x');
    REQUIRE(replace_file(path, path + ".new", text));
    CHECK(read_file(path, 1000).value() == text);
  }
  const auto longer = read_file(path, 999);
  REQUIRE_FALSE(longer);
  CHECK_THAT(longer.error().what(), Contains("larger than 999 octets"));
  CHECK_FALSE(read_file(directory + "/none", 10).value());
  std::filesystem::remove_all(directory);
}

SCENARIO("a file of /proc tells no size") {
  CHECK(read_file("/proc/self/comm", 64).value()->back() == '\n');
  CHECK_FALSE(read_file("/proc/self/comm", 3));
}
