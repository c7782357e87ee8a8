// Inside infer/ only (includes SQLite): one connection to the block store's database.
#pragma once

#include <sqlite3.h>

#include <map>
#include <span>
#include <string>

#include "infer/block_key.h"

namespace fathom::infer {

// A prepared statement for one use: bind in order, then step. Resets itself at the end.
class Query {
 public:
  explicit Query(sqlite3_stmt* statement) : statement_(statement) {}
  ~Query() {
    if (statement_ != nullptr) sqlite3_reset(statement_), sqlite3_clear_bindings(statement_);
  }
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  Query& bind(std::span<const std::byte> bytes) {
    if (statement_ != nullptr)
      sqlite3_bind_blob64(statement_, next_, bytes.data(), bytes.size(), SQLITE_STATIC);
    ++next_;
    return *this;
  }
  Query& bind(const Digest& digest) { return bind(std::as_bytes(std::span(digest))); }
  Query& bind(int64_t value) {
    if (statement_ != nullptr) sqlite3_bind_int64(statement_, next_, value);
    ++next_;
    return *this;
  }
  // SQLITE_ROW, SQLITE_DONE or an error.
  int step() { return statement_ == nullptr ? SQLITE_ERROR : sqlite3_step(statement_); }
  int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  // Valid until the next step.
  std::span<const std::byte> blob(int column) const {
    const auto* data = static_cast<const std::byte*>(sqlite3_column_blob(statement_, column));
    return {data, data == nullptr ? 0 : static_cast<size_t>(sqlite3_column_bytes(statement_, column))};
  }

 private:
  sqlite3_stmt* statement_;
  int next_ = 1;
};

// One thread at a time. Statements are prepared once and kept.
class SqliteConnection {
 public:
  ~SqliteConnection() { close(); }
  SqliteConnection() = default;
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  // Whether the file could be opened; says nothing of what is in it.
  bool open(const std::string& path) {
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path.c_str(), &database_, flags, nullptr) != SQLITE_OK) return close(), false;
    sqlite3_busy_timeout(database_, 2000);
    return true;
  }
  void close() {
    for (auto& [text, statement] : statements_) sqlite3_finalize(statement);
    statements_.clear();
    sqlite3_close(database_);
    database_ = nullptr;
  }
  // Whether all of it succeeded.
  bool run(const std::string& text) {
    return sqlite3_exec(database_, text.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
  }
  Query query(const std::string& text) {
    sqlite3_stmt*& statement = statements_[text];
    if (statement == nullptr)
      sqlite3_prepare_v3(database_, text.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    return Query(statement);
  }
  // The first column of the first row; `otherwise` if there is none.
  int64_t value(const std::string& text, int64_t otherwise) {
    Query q = query(text);
    return q.step() == SQLITE_ROW ? q.integer(0) : otherwise;
  }

 private:
  sqlite3* database_ = nullptr;
  std::map<std::string, sqlite3_stmt*> statements_;
};

}  // namespace fathom::infer
