// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/list_files.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <system_error>
#include <utility>

namespace schultor::config {
namespace {

namespace fs = std::filesystem;

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

class Finder {
public:
  explicit Finder(std::span<const fs::path> folders) {
    // "lists/" has an empty last part.
    for (const auto& folder : folders) folders_.push_back(folder.has_filename() ? folder : folder.parent_path());
  }

  base::Result<FoundLists> find() {
    bool any = false;
    for (const auto& folder : folders_) {
      std::error_code error;
      if (fs::status(folder, error).type() == fs::file_type::not_found) continue;
      any = true;
      if (auto found = look_through(folder); !found) return base::pass(std::move(found));
    }
    if (!any && !folders_.empty()) return base::fail("{}: there is no such folder of lists", folders_.front().string());
    return resolved();
  }

private:
  struct Named {
    std::vector<ListFiles::File> files;
    std::set<std::string> same_as;
  };

  /// As messages name it: what lies in the first folder from that folder's own name on, all else by its path.
  [[nodiscard]] std::string shown(const fs::path& path) const {
    const auto& first = folders_.front();
    const auto relative = path.lexically_relative(first);
    if (relative.empty() || *relative.begin() == "..") return path.string();
    return (first.filename() / relative).string();
  }

  void warn(const fs::path& path, std::string_view text) {
    out_.diagnostics.push_back({shown(path), 0, 0, Severity::warning, std::string(text)});
  }

  base::Result<void> look_through(const fs::path& directory) {
    auto entries = entries_of(directory);
    if (!entries) return base::pass(std::move(entries));
    for (const auto& entry : *entries) {
      std::error_code error;
      const auto type = fs::status(entry, error).type();
      if (error) return base::fail("{}: {}", shown(entry), error.message());
      if (type != fs::file_type::directory) {
        const auto file = entry.filename().string();
        if (auto added = add_file(file.substr(0, file.find('.')), entry); !added) return added;
      } else if (auto added = add_folder(entry, directory); !added) {
        return added;
      }
    }
    return {};
  }

  base::Result<void> add_folder(const fs::path& folder, const fs::path& directory) {
    const auto name = folder.filename().string();
    if (auto checked = check_name(name); !checked) return base::pass(std::move(checked), shown(folder));
    auto& list = named_[name];
    if (auto other = same_as(folder, directory); !other.empty()) {
      list.same_as.insert(std::move(other));
      return {};
    }
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
    named_[list].files.push_back({file, shown(file)});
    return {};
  }

  /// A list that has files of its own and another list's as well is made of both.
  void collect(const std::string& name, std::set<std::string>& seen, std::vector<ListFiles::File>& files) const {
    const auto list = named_.find(name);
    if (list == named_.end() || !seen.insert(name).second) return;
    files.insert(files.end(), list->second.files.begin(), list->second.files.end());
    for (const auto& other : list->second.same_as) collect(other, seen, files);
  }

  /// The list that `name` is nothing but another name of; itself where it is none.
  [[nodiscard]] std::string target_of(std::string name) const {
    // A link to a link of another folder of lists: each is followed once.
    for (std::size_t steps = 0; steps <= folders_.size(); ++steps) {
      const auto& list = named_.at(name);
      if (!list.files.empty() || list.same_as.size() != 1 || !named_.contains(*list.same_as.begin())) break;
      name = *list.same_as.begin();
    }
    return name;
  }

  FoundLists resolved() {
    for (const auto& [name, list] : named_) {
      ListFiles made{name, {}, {}};
      if (const auto target = target_of(name); target != name) {
        made.same_as = static_cast<std::size_t>(std::distance(named_.begin(), named_.find(target)));
      } else {
        std::set<std::string> seen;
        collect(name, seen, made.files);
        if (made.files.empty()) warn(folders_.front() / name, "there is no list of names in it");
      }
      out_.lists.push_back(std::move(made));
    }
    return std::move(out_);
  }

  std::vector<fs::path> folders_;
  std::map<std::string, Named> named_;
  FoundLists out_;
};

}  // namespace

base::Result<FoundLists> find_lists(std::span<const fs::path> folders) { return Finder(folders).find(); }

}  // namespace schultor::config
