// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/lists/directory.hpp"

#include "daemon/lists/list_file.hpp"

#include <utility>

namespace schultor::lists {
namespace {

base::Result<void> read_file(const config::ListFiles::File& file, std::size_t list, Gathered& gathered) {
  config::Diagnostics faults;
  FileSink sink(gathered.collection, list, file.shown, faults);
  if (auto read = read_list_file(file.path, sink); !read) return read;
  sink.finish();
  if (auto is_list = check_is_list(sink.counted()); !is_list) return is_list;
  for (auto& one : std::move(faults).take()) gathered.diagnostics.push_back(std::move(one));
  return {};
}

}  // namespace

base::Result<Gathered> gather(const config::FoundLists& found) {
  Gathered gathered{{}, found.diagnostics};
  for (const auto& list : found.lists) {
    auto number = gathered.collection.add_list(list.name, list.same_as);
    if (!number) return base::pass(std::move(number));
    for (const auto& file : list.files)
      if (auto read = read_file(file, *number, gathered); !read) return base::pass(std::move(read), file.shown);
  }
  return gathered;
}

base::Result<Gathered> gather(std::span<const std::filesystem::path> folders) {
  const auto found = config::find_lists(folders);
  if (!found) return tl::unexpected<base::Error>(found.error());
  return gather(*found);
}

}  // namespace schultor::lists
