// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/lists/directory.hpp"

#include "daemon/base/unique_fd.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <string>
#include <system_error>
#include <utility>

namespace schultor::lists {
namespace {

namespace fs = std::filesystem;

/// The lists of a folder before any file is read, by name.
struct Found {
  struct List {
    std::vector<fs::path> files;
    std::string same_as;
  };
  std::map<std::string, List> lists;
};

base::Result<std::string> slurp(const fs::path& path) {
  const base::UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!fd || fstat(fd.get(), &status) != 0) return base::fail_errno(errno, "it cannot be read");
  if (!S_ISREG(status.st_mode)) return base::fail("it is no regular file");
  if (static_cast<std::size_t>(status.st_size) > largest_list_file)
    return base::fail("it is larger than {} bytes: split it, or leave out what no profile names", largest_list_file);
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t filled = 0;
  while (filled < text.size()) {
    const auto got = read(fd.get(), text.data() + filled, text.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::fail_errno(errno, "it cannot be read");
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  text.resize(filled);
  return text;
}

/// Why a file is no list of names, in words; empty where it may be one. UT1's folders hold more than lists.
std::string_view why_ignored(const fs::path& path) {
  const auto name = path.filename().string();
  const auto ending = path.extension().string();
  const auto is_one_of = [](const std::string& text, auto list) { return std::find(list.begin(), list.end(), text) != list.end(); };
  if (is_one_of(name, std::array{"urls", "expressions", "very_restrictive_expression"}))
    return "ignored: addresses of pages and expressions cannot be told by a name server";
  if (is_one_of(ending, std::array{".gz", ".xz", ".bz2", ".zst", ".zip", ".tar", ".tgz"}))
    return "ignored: it is packed, unpack it";
  if (is_one_of(ending, std::array{".diff", ".pdf", ".md", ".html"}) || is_one_of(name, std::array{"usage", "global_usage"}) ||
      name.starts_with("README") || name.starts_with("LICENSE") || name.starts_with("COPYING"))
    return "ignored: it is no list";
  return {};
}

base::Result<void> check_name(const std::string& name) {
  constexpr std::size_t longest = 64;
  const bool fine = !name.empty() && name.size() <= longest &&
                    std::all_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7f; });
  if (!fine) return base::fail("expected a name of at most {} characters without blanks", longest);
  return {};
}

base::Result<std::vector<fs::path>> entries_of(const fs::path& directory) {
  std::error_code error;
  std::vector<fs::path> entries;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error))
    if (!at->path().filename().string().starts_with('.')) entries.push_back(at->path());
  if (error) return base::fail("{}: {}", directory.string(), error.message());
  std::sort(entries.begin(), entries.end());
  return entries;
}

/// The list that a link to a folder is another name of; empty where it is none.
std::string same_as(const fs::path& entry, const fs::path& directory) {
  std::error_code error;
  if (!fs::is_symlink(entry, error)) return {};
  const auto target = fs::canonical(entry, error);
  if (error || target.parent_path() != fs::canonical(directory, error)) return {};
  return target.filename().string();
}

class Gatherer {
public:
  explicit Gatherer(fs::path directory) : directory_(std::move(directory)) {}

  base::Result<Gathered> gather() {
    if (auto found = find(); !found) return base::pass(std::move(found));
    for (const auto& [name, list] : found_.lists) {
      const auto target = found_.lists.find(list.same_as);
      const bool is_other_name = target != found_.lists.end() && list.files.empty();
      auto number = gathered_.collection.add_list(
          name,
          is_other_name ? std::optional(static_cast<std::size_t>(std::distance(found_.lists.begin(), target))) : std::nullopt);
      if (!number) return base::pass(std::move(number), directory_.string());
      if (list.files.empty() && !is_other_name) warn(directory_ / name, "there is no list of names in it");
      for (const auto& file : list.files)
        if (auto read = read_file(*number, file); !read) return base::pass(std::move(read), shown(file));
    }
    return std::move(gathered_);
  }

private:
  /// As messages name it: from the folder's own name on.
  [[nodiscard]] std::string shown(const fs::path& path) const {
    return (directory_.filename() / path.lexically_relative(directory_)).string();
  }

  void warn(const fs::path& path, std::string_view text) {
    gathered_.diagnostics.push_back({shown(path), 0, 0, config::Severity::warning, std::string(text)});
  }

  base::Result<void> find() {
    auto entries = entries_of(directory_);
    if (!entries) return base::pass(std::move(entries));
    for (const auto& entry : *entries) {
      std::error_code error;
      const auto type = fs::status(entry, error).type();
      if (error) return base::fail("{}: {}", shown(entry), error.message());
      if (type != fs::file_type::directory) {
        const auto file = entry.filename().string();
        if (auto added = add_file(file.substr(0, file.find('.')), entry); !added) return added;
      } else if (auto added = add_folder(entry); !added) {
        return added;
      }
    }
    return {};
  }

  base::Result<void> add_folder(const fs::path& folder) {
    const auto name = folder.filename().string();
    if (auto checked = check_name(name); !checked) return base::pass(std::move(checked), shown(folder));
    auto& list = found_.lists[name];
    list.same_as = same_as(folder, directory_);
    if (!list.same_as.empty()) return {};
    auto entries = entries_of(folder);
    if (!entries) return base::pass(std::move(entries));
    for (const auto& entry : *entries) {
      std::error_code error;
      if (fs::is_directory(entry, error)) warn(entry, "ignored: folders of lists have no folders in them");
      else if (auto added = add_file(name, entry); !added) return added;
    }
    return {};
  }

  base::Result<void> add_file(const std::string& list, const fs::path& file) {
    if (const auto why = why_ignored(file); !why.empty()) {
      warn(file, why);
      return {};
    }
    if (auto checked = check_name(list); !checked) return base::pass(std::move(checked), shown(file));
    found_.lists[list].files.push_back(file);
    return {};
  }

  base::Result<void> read_file(std::size_t number, const fs::path& file) {
    auto text = slurp(file);
    if (!text) return base::pass(std::move(text));
    const auto format = format_of_file_name(file.filename().string());
    config::Diagnostics faults;
    FileSink sink(gathered_.collection, number, shown(file), faults);
    read_list(*text, format ? *format : detect_format(*text), sink);
    sink.finish();
    for (auto& one : std::move(faults).take()) gathered_.diagnostics.push_back(std::move(one));
    return {};
  }

  fs::path directory_;
  Found found_;
  Gathered gathered_;
};

}  // namespace

base::Result<Gathered> gather(const fs::path& directory) {
  // "lists/" has an empty last part.
  return Gatherer(directory.has_filename() ? directory : directory.parent_path()).gather();
}

}  // namespace schultor::lists
