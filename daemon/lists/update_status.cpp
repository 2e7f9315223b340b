// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/lists/update_status.hpp"

#include "daemon/base/file.hpp"
#include "daemon/base/text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace schultor::lists {
namespace {

using nlohmann::json;
using std::chrono::sys_seconds;

constexpr std::size_t most = 64;
constexpr std::size_t longest_list_name = 32;
constexpr int deepest = 4;
/// The end of the year 9999.
constexpr sys_seconds last_second{std::chrono::seconds{253'402'300'799}};

template <class Time>
constexpr std::uint64_t count_of(Time at) {
  return static_cast<std::uint64_t>(at.time_since_epoch().count());
}

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_list_name(std::string_view text) {
  return !text.empty() && text.size() <= longest_list_name && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

/// A list's file has no other name: whoever writes the status leads nobody to another place.
bool is_file_of(std::string_view file, std::string_view list) {
  if (file.empty()) return true;
  if (!file.starts_with(list) || file.size() < list.size() + 2 || file[list.size()] != '.') return false;
  file.remove_prefix(list.size() + 1);
  return std::all_of(file.begin(), file.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

/// Reads members of one object; the first that is not as it must be is kept.
class Members {
public:
  explicit Members(const json& object) : object_(object) {}

  std::string text(const char* name) {
    const auto* value = take(name);
    if (value != nullptr && value->is_string()) {
      const auto& text = value->get_ref<const std::string&>();
      if (text.size() <= longest_status_text && std::none_of(text.begin(), text.end(), is_control)) return text;
    }
    fault(name, "a line of text, not too long");
    return {};
  }
  std::uint64_t number(const char* name) {
    const auto* value = take(name);
    if (value != nullptr && value->is_number_unsigned()) return *value;
    fault(name, "a number from 0 up");
    return 0;
  }
  bool flag(const char* name) {
    const auto* value = take(name);
    if (value != nullptr && value->is_boolean()) return *value;
    fault(name, "true or false");
    return false;
  }
  base::Instant instant(const char* name) { return count_since_1970<base::Instant>(name, "microseconds since 1970"); }
  std::optional<sys_seconds> optional_second(const char* name) {
    if (const auto found = object_.find(name); found == object_.end() || !found->is_null())
      return count_since_1970<sys_seconds>(name, "seconds since 1970");
    take(name);
    return std::nullopt;
  }
  UpdateState state(const char* name) {
    const auto word = text(name);
    for (const auto state : {UpdateState::ok, UpdateState::held, UpdateState::failed})
      if (word == to_string(state)) return state;
    fault(name, "ok, held or failed");
    return UpdateState::failed;
  }
  const json* list(const char* name) {
    const auto* value = take(name);
    if (value != nullptr && value->is_array() && value->size() <= most) return value;
    fault(name, "a list of at most 64");
    return nullptr;
  }
  void require(bool holds, const char* name, std::string_view expected) {
    if (!holds) fault(name, expected);
  }
  /// What is wrong, all members having been read.
  [[nodiscard]] std::string finish() const {
    if (!fault_.empty() || taken_ == object_.size()) return fault_;
    return "there are members that are not known here";
  }

private:
  template <class Time>
  Time count_since_1970(const char* name, std::string_view expected) {
    const auto* value = take(name);
    if (value != nullptr && value->is_number_unsigned())
      if (const auto count = value->get<std::uint64_t>(); count <= count_of(Time{last_second}))
        return Time{typename Time::duration{static_cast<std::int64_t>(count)}};
    fault(name, expected);
    return {};
  }
  const json* take(const char* name) {
    const auto found = object_.find(name);
    if (found == object_.end()) return nullptr;
    ++taken_;
    return &*found;
  }
  void fault(const char* name, std::string_view expected) {
    if (fault_.empty()) fault_ = fmt::format("“{}”: expected {}", name, expected);
  }

  const json& object_;
  std::size_t taken_ = 0;
  std::string fault_;
};

base::Result<ListStatus> read_list_status(const json& object) {
  if (!object.is_object()) return base::fail("a list is no object");
  Members members(object);
  ListStatus one;
  one.list = members.text("list");
  one.host = members.text("host");
  one.source = members.text("source");
  one.state = members.state("state");
  one.reason = members.text("reason");
  one.since = members.instant("since_us");
  one.updated = members.optional_second("updated");
  one.file = members.text("file");
  one.entries = members.number("entries");
  one.etag = members.text("etag");
  one.last_modified = members.text("last_modified");
  members.require(is_list_name(one.list), "list", "a list's name");
  members.require(is_hex(one.source), "source", "a digest");
  members.require(is_file_of(one.file, one.list), "file", "the list's name and its format");
  members.require((one.state == UpdateState::ok) == one.reason.empty(), "reason", "one for each list that is held or failed");
  if (const auto fault = members.finish(); !fault.empty()) return base::fail("a list: {}", fault);
  return one;
}

json to_object(const ListStatus& one) {
  return {{"list", one.list},
          {"host", one.host},
          {"source", one.source},
          {"state", to_string(one.state)},
          {"reason", one.reason},
          {"since_us", count_of(one.since)},
          {"updated", one.updated ? json(count_of(*one.updated)) : json(nullptr)},
          {"file", one.file},
          {"entries", one.entries},
          {"etag", one.etag},
          {"last_modified", one.last_modified}};
}

/// The library frees with recursion: depth is judged while it reads.
json parse(std::string_view text) {
  const auto shallow = [](int depth, json::parse_event_t, json&) { return depth <= deepest; };
  return json::parse(text, shallow, false);
}

}  // namespace

std::string_view to_string(UpdateState state) {
  constexpr std::array<std::string_view, 3> names{"ok", "held", "failed"};
  return names[static_cast<std::size_t>(state)];
}

const ListStatus* UpdateStatus::find(std::string_view list) const {
  const auto found = std::find_if(lists.begin(), lists.end(), [&](const ListStatus& one) { return one.list == list; });
  return found == lists.end() ? nullptr : &*found;
}

std::string status_text(std::string_view text) {
  std::string line(text);
  std::replace(line.begin(), line.end(), '\n', ' ');
  line = base::printable(line);
  if (line.size() <= longest_status_text) return line;
  constexpr std::string_view more = "…";
  auto end = longest_status_text - more.size();
  while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xc0U) == 0x80U) --end;
  return line.substr(0, end).append(more);
}

std::string to_json(const UpdateStatus& status) {
  json lists = json::array();
  for (const auto& one : status.lists) lists.push_back(to_object(one));
  const json document{{"compiled", status.compiled},
                      {"table_fault", status.table_fault},
                      {"table_since_us", count_of(status.table_since)},
                      {"lists", std::move(lists)}};
  return document.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

base::Result<UpdateStatus> update_status_from_json(std::string_view text) {
  if (text.size() > largest_status) return base::fail("larger than {} octets", largest_status);
  const auto document = parse(text);
  if (!document.is_object()) return base::fail("not a JSON object");
  Members members(document);
  UpdateStatus status;
  status.compiled = members.flag("compiled");
  status.table_fault = members.text("table_fault");
  status.table_since = members.instant("table_since_us");
  const auto* lists = members.list("lists");
  if (const auto fault = members.finish(); !fault.empty()) return base::fail("{}", fault);
  for (const auto& object : *lists) {
    auto one = read_list_status(object);
    if (!one) return base::pass(std::move(one));
    if (!status.lists.empty() && one->list <= status.lists.back().list) return base::fail("the lists are not sorted by name");
    status.lists.push_back(std::move(*one));
  }
  return status;
}

base::Result<UpdateStatus> read_update_status(const std::string& path) {
  const auto text = base::read_file(path, largest_status);
  if (!text) return tl::unexpected<base::Error>(text.error());
  if (!*text) return UpdateStatus{};
  auto status = update_status_from_json(**text);
  if (!status) return base::pass(std::move(status), path);
  return status;
}

}  // namespace schultor::lists
