// Numbers of JSON within limits, compared digit by digit.
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <tuple>

#include "base/check.h"
#include "base/json.h"
#include "text/grammar_json.h"

namespace fathom::text {
namespace {

constexpr size_t kMaxNumberStates = 30'000;
constexpr uint64_t kLargestFactor =
    1'000'000;  // of multiple_of, as a whole number of units of its last digit

// Digits with an exponent of ten ("12.5e3"), as Decimal.
Decimal read_decimal(std::string_view text) {
  Decimal out;
  if (text.starts_with('-')) {
    out.negative = true;
    text.remove_prefix(1);
  }
  const size_t e = text.find_first_of("eE");
  int exponent = 0;
  if (e != std::string_view::npos) {
    const std::string_view digits = text.substr(text[e + 1] == '+' ? e + 2 : e + 1);
    std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
    text = text.substr(0, e);
  }
  const size_t point = text.find('.');
  out.whole = text.substr(0, point);
  if (point != std::string_view::npos) out.fraction = text.substr(point + 1);
  for (; exponent > 0; --exponent) {
    out.whole += out.fraction.empty() ? '0' : out.fraction[0];
    if (!out.fraction.empty()) out.fraction.erase(0, 1);
  }
  for (; exponent < 0; ++exponent) {
    out.fraction.insert(out.fraction.begin(), out.whole.empty() ? '0' : out.whole.back());
    if (!out.whole.empty()) out.whole.pop_back();
  }
  out.whole.erase(0, std::min(out.whole.find_first_not_of('0'), out.whole.size()));
  out.fraction.erase(out.fraction.find_last_not_of('0') + 1);
  if (out.zero()) out.negative = false;
  return out;
}

enum Phase : uint8_t { kStart, kMinus, kZero, kWhole, kPoint, kFraction, kExponent, kExponentSign, kPower };

// What the digits so far say. `less`, `greater`: how the magnitude compares with that of the lower and the
// upper limit, while it is being written as if it had as many digits before the point as the limit.
struct State {
  Phase phase = kStart;
  bool negative = false, nonzero = false;
  uint8_t digits = 0;             // in this phase
  std::array<int8_t, 2> order{};  // against min and max: -1, 0, 1
  uint64_t residue = 0;
  auto key() const { return std::tuple(phase, negative, nonzero, digits, order, residue); }
  bool operator<(const State& other) const { return key() < other.key(); }
};

class NumberRule {
 public:
  NumberRule(GrammarBuilder& builder, const NumberLimits& limits)
      : b_(builder), limits_(limits), bounds_{limits.min, limits.max} {}

  std::optional<GrammarBuilder::Rule> run() {
    if (!read_multiple()) return std::nullopt;
    const auto rule = b_.add_rule();
    node_of(State{});
    b_.epsilon(b_.start(rule), nodes_.at(State{}));
    for (size_t i = 0; i < queue_.size() && !b_.full(); ++i) {
      const State state = queue_[i];
      const auto node = nodes_.at(state);
      if (accepts(state)) {
        b_.epsilon(node, b_.end(rule));
        found_ = true;
      }
      for (const char c : std::string_view("-.eE+0123456789")) {
        State next = state;
        if (step(next, c)) b_.literal(node, {&c, 1}, node_of(next));
      }
      if (queue_.size() > kMaxNumberStates) return std::nullopt;
    }
    return rule;
  }
  bool found() const { return found_; }

 private:
  GrammarBuilder::Node node_of(const State& state) {
    const auto [at, inserted] = nodes_.try_emplace(state, 0);
    if (inserted) {
      at->second = b_.add_node();
      queue_.push_back(state);
    }
    return at->second;
  }

  // multiple_of = factor_ / 10^scale_.
  bool read_multiple() {
    if (limits_.multiple_of == nullptr) return true;
    const std::string digits = limits_.multiple_of->whole + limits_.multiple_of->fraction;
    scale_ = static_cast<int>(limits_.multiple_of->fraction.size());
    if (digits.size() > 18 || scale_ > JsonRules::kFractionDigits) return false;
    factor_ = std::stoull(digits);
    return factor_ > 0 && factor_ <= kLargestFactor;
  }

  bool step(State& s, char c) const {
    const bool digit = c >= '0' && c <= '9';
    switch (s.phase) {
      case kStart:
        if (c == '-') return s.phase = kMinus, s.negative = true, true;
        return digit && first_digit(s, c);
      case kMinus:
        return digit && first_digit(s, c);
      case kWhole:
        if (digit) return s.digits < JsonRules::kIntegerDigits && whole_digit(s, c);
        return after_digits(s, c);
      case kZero:
        return after_digits(s, c);
      case kPoint:
      case kFraction:
        if (digit) return fraction_digit(s, c);
        return s.phase == kFraction && begin_exponent(s, c);
      case kExponent:
        if (c == '+' || c == '-') return s.phase = kExponentSign, true;
        [[fallthrough]];
      case kExponentSign:
        return digit && (s.phase = kPower, s.digits = 1, true);
      case kPower:
        return digit && s.digits < 2 && (s.digits = 2, true);
    }
    return false;
  }

  bool first_digit(State& s, char c) const {
    if (c != '0') return s.phase = kWhole, whole_digit(s, c);
    s.phase = kZero;
    return true;
  }

  bool whole_digit(State& s, char c) const {
    s.nonzero = true;
    for (size_t i = 0; i < 2; ++i) {
      if (bounds_[i] == nullptr || s.order[i] != 0) continue;
      const std::string& whole = bounds_[i]->whole;
      if (s.digits < whole.size()) s.order[i] = sign(c - whole[s.digits]);
    }
    add_to_residue(s, c);
    forget_sign(s);
    ++s.digits;
    return true;
  }

  bool after_digits(State& s, char c) const {
    if (limits_.integer) return false;
    if (c != '.') return begin_exponent(s, c);
    if (limits_.multiple_of != nullptr && scale_ == 0) return false;
    s.order = {whole_order(s, 0), whole_order(s, 1)};
    s.phase = kPoint;
    s.digits = 0;
    return true;
  }

  // Order of what stands before the point, now that all its digits are known.
  int8_t whole_order(const State& s, size_t i) const {
    if (bounds_[i] == nullptr) return 0;
    const size_t written = s.phase == kWhole ? s.digits : 0;
    const size_t whole = bounds_[i]->whole.size();
    return written == whole ? s.order[i] : static_cast<int8_t>(written < whole ? -1 : 1);
  }

  bool fraction_digit(State& s, char c) const {
    const int most = limits_.multiple_of != nullptr ? scale_ : JsonRules::kFractionDigits;
    if (s.digits >= most) return false;
    for (size_t i = 0; i < 2; ++i) {
      if (bounds_[i] == nullptr || s.order[i] != 0) continue;
      const std::string& fraction = bounds_[i]->fraction;
      s.order[i] = sign(c - (s.digits < fraction.size() ? fraction[s.digits] : '0'));
    }
    s.nonzero = s.nonzero || c != '0';
    add_to_residue(s, c);
    forget_sign(s);
    ++s.digits;
    s.phase = kFraction;
    return true;
  }

  bool begin_exponent(State& s, char c) const {
    if ((c != 'e' && c != 'E') || limits_.integer || !limits_.free()) return false;
    s.phase = kExponent;
    s.digits = 0;
    return true;
  }

  void add_to_residue(State& s, char c) const {
    if (limits_.multiple_of != nullptr)
      s.residue = (s.residue * 10 + static_cast<uint64_t>(c - '0')) % factor_;
  }

  // Without limits the sign matters to zero alone.
  void forget_sign(State& s) const {
    if (s.nonzero && bounds_[0] == nullptr && bounds_[1] == nullptr) s.negative = false;
  }

  static int8_t sign(int difference) { return static_cast<int8_t>((difference > 0) - (difference < 0)); }

  // Order of the whole magnitude against the limit's.
  int final_order(const State& s, size_t i) const {
    const bool fraction = s.phase == kFraction;
    const int order = fraction ? s.order[i] : whole_order(s, i);
    const size_t written = fraction ? s.digits : 0;
    return order == 0 && bounds_[i]->fraction.size() > written ? -1 : order;
  }

  bool accepts(const State& s) const {
    if (s.phase != kZero && s.phase != kWhole && s.phase != kFraction && s.phase != kPower) return false;
    // Minus zero would be at odds with limits and with integers, where it says nothing.
    if (s.negative && !s.nonzero && (limits_.integer || !limits_.free())) return false;
    return within(s) && is_multiple(s);
  }

  bool within(const State& s) const {
    if (limits_.min != nullptr) {
      const int order = compare(s, 0);
      if (order < 0 || (order == 0 && limits_.above_min)) return false;
    }
    if (limits_.max != nullptr) {
      const int order = compare(s, 1);
      if (order > 0 || (order == 0 && limits_.below_max)) return false;
    }
    return true;
  }

  // The number, with its sign, against the limit with its.
  int compare(const State& s, size_t i) const {
    if (s.negative != bounds_[i]->negative) return s.negative ? -1 : 1;
    const int order = final_order(s, i);
    return s.negative ? -order : order;
  }

  bool is_multiple(const State& s) const {
    if (limits_.multiple_of == nullptr) return true;
    uint64_t residue = s.residue;
    for (int i = s.phase == kFraction ? s.digits : 0; i < scale_; ++i) residue = residue * 10 % factor_;
    return residue == 0;
  }

  GrammarBuilder& b_;
  const NumberLimits& limits_;
  std::array<const Decimal*, 2> bounds_;
  uint64_t factor_ = 1;
  int scale_ = 0;
  std::map<State, GrammarBuilder::Node> nodes_;
  std::vector<State> queue_;
  bool found_ = false;
};

}  // namespace

Decimal decimal_of(const OrderedJson& number) {
  if (number.is_number_integer()) return read_decimal(json_text(number));
  std::array<char, 64> text;
  const double value = number.get<double>();
  FATHOM_CHECK(std::isfinite(value));
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return read_decimal({text.data(), static_cast<size_t>(end - text.data())});
}

std::optional<GrammarBuilder::Rule> add_number_rule(GrammarBuilder& builder, const NumberLimits& limits,
                                                    bool* none) {
  NumberRule rule(builder, limits);
  const auto result = rule.run();
  if (none != nullptr) *none = !rule.found();
  return result;
}

}  // namespace fathom::text
