// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/file_readers.hpp"

namespace schultor::config {
namespace {

EndpointList read_endpoint_list(TableReader table) {
  EndpointList list;
  if (auto file = table.text("file")) list.file = std::move(*file);
  else table.missing("file", "the list's file, such as \"endpoints/m365.json\"");
  list.selection.optional = table.flag("optional").value_or(Located<bool>{}).value;
  for (auto& area : table.texts("service_areas")) list.selection.service_areas.push_back(std::move(area.value));
  table.finish();
  return list;
}

}  // namespace

City read_city(TableReader file) {
  City city;
  city.revision = file.number("revision").value_or(Located<std::uint64_t>{0, file.where()});
  if (auto cloud = file.table("cloud")) {
    city.cloud_domains = cloud->texts("domains");
    cloud->texts_or_tables(
        "endpoints",
        [&](Text name) {
          city.cloud_endpoints.push_back({std::move(name), {}, {}});
        },
        [&](TableReader list) { city.cloud_endpoints.push_back(read_endpoint_list(std::move(list))); });
    cloud->finish();
  }
  if (auto never = file.table("never")) {
    city.never_domains = never->texts("domains");
    city.bypass = never->flag("bypass").value_or(Located<bool>{false, never->where()});
    city.never_categories = never->texts("categories");
    never->finish();
  }
  city.profiles = read_profiles(file);
  city.schedules = read_schedules(file);
  city.overrides = read_override_limits(file);
  city.lists = read_lists(file);
  city.origins = read_origins(file);
  for (const auto* key : {"group", "extend", "day"}) file.belongs_to(key, "school.toml");
  file.finish();
  return city;
}

}  // namespace schultor::config
