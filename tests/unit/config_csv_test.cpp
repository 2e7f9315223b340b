// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/csv_records.hpp"
#include "daemon/config/encoding.hpp"
#include "tests/catch.hpp"

using namespace schultor::config;

namespace {

using Record = std::vector<std::string>;

std::vector<Record> records(CsvReader& reader) {
  std::vector<Record> list;
  std::vector<CsvField> fields;
  while (reader.next(fields)) {
    Record record;
    for (const auto& field : fields) record.push_back(field.text);
    list.push_back(record);
  }
  return list;
}

std::vector<Record> records(std::string_view text) {
  CsvReader reader(text);
  auto list = records(reader);
  CHECK_FALSE(reader.fault());
  return list;
}

/// As UTF-16 without a mark; `high`: the offset of a unit's high octet.
std::string utf16(std::u16string_view text, std::size_t high) {
  std::string octets;
  for (const auto unit : text) {
    const char both[] = {static_cast<char>(unit & 0xffU), static_cast<char>(unit >> 8U)};
    octets += both[high == 1 ? 0 : 1];
    octets += both[high == 1 ? 1 : 0];
  }
  return octets;
}

}  // namespace

TEST_CASE("a table is read with the separator and the line ends that it has") {
  const std::vector<Record> expected{{"a", "b"}, {"1", "2"}};
  CHECK(records("a,b\n1,2\n") == expected);
  CHECK(records("a;b\r\n1;2") == expected);
  CHECK(records("a\tb\r1\t2\r") == expected);
  CHECK(records("\r\n\n a ; b \n1;\t2 \n") == expected);
  CHECK(records("sep=;\r\na;b\r\n1;2") == expected);
  CHECK(records("sep=,\na;b;c,d\n") == std::vector<Record>{{"a;b;c", "d"}});
  CHECK(records("\"x;y\",z\n") == std::vector<Record>{{"x;y", "z"}});
  CHECK(records("\"x,y,z\";w\n") == std::vector<Record>{{"x,y,z", "w"}});
  CHECK(records("a,b\n\n,\n") == std::vector<Record>{{"a", "b"}, {""}, {"", ""}});
  CHECK(records("").empty());
  CHECK(records("sep=;\n").empty());
}

TEST_CASE("a quoted field may hold separators, quotes and line breaks; a quote within a field is a character") {
  CHECK(records("a,b\n\"1,\"\"x\"\"\r\ny\",2\n") == std::vector<Record>{{"a", "b"}, {"1,\"x\"\r\ny", "2"}});
  CHECK(records("a,b\n[3 \"b\"],\"x\"y\n") == std::vector<Record>{{"a", "b"}, {"[3 \"b\"]", "xy"}});
  CHECK(records("a,b\n\"\",=\"1\"\n") == std::vector<Record>{{"a", "b"}, {"", "=\"1\""}});
}

TEST_CASE("a field knows where it stands, in lines and code points") {
  CsvReader reader("ä,b\r\n\"x\ny\", ö;z\n1,2");
  std::vector<CsvField> fields;
  REQUIRE(reader.next(fields));
  CHECK(fields[1].column == 3);
  REQUIRE(reader.next(fields));
  CHECK((fields[0].line == 2 && fields[0].column == 1));
  CHECK((fields[1].line == 3 && fields[1].column == 5));
  REQUIRE(reader.next(fields));
  CHECK((fields[1].line == 4 && fields[1].column == 3));
  CHECK_FALSE(reader.next(fields));
}

TEST_CASE("a quote that is left open and what is too long end the reading, with the place where they began") {
  CsvReader open("a,b\n1,\"2\n3,4\n");
  CHECK(records(open).size() == 1);
  REQUIRE(open.fault());
  CHECK((open.fault()->line == 2 && open.fault()->column == 3));

  const auto late = "a,b\n1,\"" + std::string(CsvReader::longest_record, 'x') + "\"\n3,4\n";
  CsvReader closed(late);
  CHECK(records(closed).size() == 1);
  REQUIRE(closed.fault());
  CHECK((closed.fault()->line == 2 && closed.fault()->column == 3));

  const auto wide = "a,b\n1," + std::string(CsvReader::longest_record, 'x') + "y\n3,4\n";
  CsvReader record(wide);
  CHECK(records(record).size() == 1);
  CHECK(record.fault()->line == 2);

  const auto many = "a\n" + std::string(CsvReader::most_fields, ',') + "\nb\n";
  CsvReader fields(many);
  CHECK(records(fields).size() == 1);
  CHECK(fields.fault()->line == 2);
  const auto most = "a\n" + std::string(CsvReader::most_fields - 1, ',') + "\nb\n";
  CHECK(records(most).size() == 3);
}

TEST_CASE("texts come in UTF-8, UTF-16 and Windows-1252") {
  CHECK(utf8_from_any("Gerät") == "Gerät");
  CHECK(utf8_from_any("\xef\xbb\xbfGerät") == "Gerät");
  CHECK(utf8_from_any("Ger\xe4t \x80") == "Gerät €");
  const std::u16string text = u"Gerät €\U0001F4F1";
  CHECK(utf8_from_any("\xff\xfe" + utf16(text, 1)) == "Gerät €\U0001F4F1");
  CHECK(utf8_from_any("\xfe\xff" + utf16(text, 0)) == "Gerät €\U0001F4F1");
  CHECK(utf8_from_any(utf16(text, 1)) == "Gerät €\U0001F4F1");
  CHECK(utf8_from_any(utf16(text, 0)) == "Gerät €\U0001F4F1");
  CHECK(utf8_from_any("").empty());
}

TEST_CASE("half a character in UTF-16 is none, and ends nothing") {
  const std::u16string halves{u'a', char16_t{0xdc00}, u'b', char16_t{0xd83d}};
  CHECK(utf8_from_any("\xff\xfe" + utf16(halves, 1) + "c") == "a\ufffdb\ufffd\ufffd");
  CHECK(utf8_from_any("\xff\xfe" + utf16(std::u16string{char16_t{0xd83d}, u'a'}, 1)) == "\ufffda");
}
