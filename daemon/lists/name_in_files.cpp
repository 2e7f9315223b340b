// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/lists/name_in_files.hpp"

#include "daemon/lists/list_file.hpp"

#include <algorithm>
#include <utility>

namespace schultor::lists {
namespace {

/// Holds a name against each entry of one list.
class Search final : public Sink {
public:
  Search(std::string_view wanted, std::size_t list, NameInFiles& found) : wanted_(wanted), list_(list), found_(found) {}
  void of_file(std::string file) { file_ = std::move(file); }

  void begin_line(int number) override { line_ = number; }
  void name(std::string_view name, Scope scope) override {
    if (!wanted_.ends_with(name)) return;
    const bool is_itself = wanted_.size() == name.size();
    if (!is_itself && wanted_[wanted_.size() - name.size() - 1] != '.') return;
    const bool holds_below = scope != Scope::self;
    const bool holds = is_itself ? scope != Scope::below : holds_below;
    if (holds_below) (is_itself ? below_ : below_by_shorter_) = true;
    if (is_itself && holds) itself_ = true;
    if (!holds) return;
    const auto labels = static_cast<std::uint8_t>(1 + std::count(name.begin(), name.end(), '.'));
    auto& longest = found_.hits.labels[list_];
    if (longest >= labels) return;
    longest = labels;
    found_.hits.lists.insert(list_);
    found_.places[list_] = {file_, line_};
  }
  void prefix(const base::Prefix&) override {}
  void left_out(LeftOut, Place, std::string_view, std::string_view) override {}
  /// After the last file.
  void finish() {
    if (below_ || (below_by_shorter_ && !itself_)) found_.hits.below.insert(list_);
  }

private:
  std::string_view wanted_;
  std::size_t list_;
  NameInFiles& found_;
  std::string file_;
  int line_ = 0;
  bool itself_ = false, below_ = false, below_by_shorter_ = false;
};

}  // namespace

base::Result<NameInFiles> find_in_files(const config::FoundLists& found, std::span<const std::string> lists,
                                        std::string_view name) {
  NameInFiles result;
  for (std::size_t number = 0; number < std::min(lists.size(), most_lists); ++number) {
    const auto list = std::find_if(found.lists.begin(), found.lists.end(),
                                   [&](const config::ListFiles& one) { return one.name == lists[number]; });
    if (list == found.lists.end()) continue;
    Search search(name, number, result);
    for (const auto& file : list->same_as ? found.lists[*list->same_as].files : list->files) {
      search.of_file(file.shown);
      if (auto read = read_list_file(file.path, search); !read) return base::pass(std::move(read), file.shown);
    }
    search.finish();
  }
  return result;
}

}  // namespace schultor::lists
