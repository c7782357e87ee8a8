// A load of streamed chat requests, as clients see it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace fathom::bench {

struct LoadPlan {
  std::string address;  // http://127.0.0.1:8000
  std::string model;    // as the API names it
  int streams = 64;     // connections, each with one request after the other
  int requests = 1;     // of each
  int tokens = 128;     // of each answer
  int prompt_words = 8;
  double temperature = 0;
  std::string fields;  // further fields of the request: "\"response_format\": {...}"
};

// What one request gave. Times are seconds from its start.
struct Answer {
  std::string error;  // empty: none
  std::string text;   // thoughts and answer, as they came
  int64_t tokens = 0, cached = 0;
  double queue = 0, first = 0, end = 0;
  std::vector<double> gaps;  // between one piece and the next
};

struct LoadResult {
  std::vector<Answer> answers;  // by stream, then request
  double seconds = 0;           // from the first request to the last answer
};

// Body of the request number `index`; the same number asks the same.
std::string request_body(const LoadPlan& plan, int index);
// One request on a connection of its own.
Answer ask_alone(const LoadPlan& plan, int index);
// All streams at once, a thread each.
LoadResult run_load(const LoadPlan& plan);

// The value below which `share` of them lie; 0 of none.
double quantile(std::vector<double> values, double share);

}  // namespace fathom::bench
