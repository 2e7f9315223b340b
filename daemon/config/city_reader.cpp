// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/file_readers.hpp"

namespace schultor::config {

City read_city(TableReader file) {
  City city;
  city.revision = file.number("revision").value_or(Located<std::uint64_t>{0, file.where()});
  if (auto cloud = file.table("cloud")) {
    city.cloud_domains = cloud->texts("domains");
    cloud->not_supported_yet("endpoints");
    cloud->finish();
  }
  if (auto never = file.table("never")) {
    city.never_domains = never->texts("domains");
    city.bypass = never->flag("bypass").value_or(Located<bool>{false, never->where()});
    never->not_supported_yet("categories");
    never->finish();
  }
  city.profiles = read_profiles(file);
  city.schedules = read_schedules(file);
  for (const auto* key : {"origin", "day"}) file.not_supported_yet(key);
  for (const auto* key : {"group", "extend"}) file.belongs_to(key, "school.toml");
  file.finish();
  return city;
}

}  // namespace schultor::config
