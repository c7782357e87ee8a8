#include "eval/verify.h"

#include <algorithm>

#include "eval/compare.h"
#include "eval/expected.h"
#include "eval/runner.h"

namespace fathom::eval {
namespace {

// The rules, with their source in docs/verify.md.
constexpr double kLogits = 1e-4, kWeights = 1e-4, kHidden = 1e-5, kTie = 1e-6, kActQuant = 0.02;
constexpr double kFastDivergence = 1e-3, kFastExperts = 0.8, kFastTop1 = 0.98, kFastMargin = 0.05;
constexpr size_t kGreedyPrompt = 12;

struct Values {
  std::vector<float> ours, reference;
  void add(std::span<const float> own, std::span<const float> ref) {
    ours.insert(ours.end(), own.begin(), own.end());
    reference.insert(reference.end(), ref.begin(), ref.end());
  }
};

double share(const std::vector<bool>& flags) {
  return static_cast<double>(std::count(flags.begin(), flags.end(), true)) / static_cast<double>(flags.size());
}

model::Options with_format(model::Options options, const model::Model& model) {
  options.act_format = model.config.scale_format;
  return options;
}

class Verifier {
 public:
  Verifier(const Context& ctx, const model::Model& model, const std::string& path, const model::Options& options)
      : ctx_(ctx),
        fast_(ctx.mode == Mode::fast),
        act_quant_(options.act_quant),
        model_(model),
        expected_(path, model.config),
        options_(with_format(options, model)),
        runner_(ctx, model, std::max<int64_t>(expected_.tokens(), static_cast<int64_t>(expected_.greedy().size())), options_) {}

  VerifyReport run() {
    for (int64_t b = 0; b < expected_.sequences(); ++b)
      records_.push_back(runner_.run(expected_.input(b), expected_.find(Content::hidden, 0) != nullptr || any_hidden()));
    VerifyReport report;
    bool judged = false;
    report.pass = true;
    // MTP routing is recorded by the modules' runs, so logits come before experts.
    std::vector<std::pair<size_t, VerifyPart>> parts;
    const auto visit = [&](bool experts) {
      for (size_t i = 0; i < expected_.keys().size(); ++i) {
        const ExpectedKey& key = expected_.keys()[i];
        const bool late = key.content == Content::experts || key.content == Content::weights;
        if (late == experts && wanted(key)) parts.emplace_back(i, part(key));
      }
    };
    visit(false);
    visit(true);
    std::sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (auto& [i, p] : parts) {
      judged |= p.pass.has_value();
      report.pass &= p.pass.value_or(true);
      report.parts.emplace_back(expected_.keys()[i].name, p);
    }
    if (!judged)
      throw Exception({expected_.file().path(), act_quant_ ? "logits_act_quant" : "logits", "the file holds nothing to judge",
                       act_quant_ ? "leave --act-quant out or name a file with that key" : "name a file with reference logits"});
    return report;
  }

 private:
  bool any_hidden() const {
    return std::any_of(expected_.keys().begin(), expected_.keys().end(),
                       [](const ExpectedKey& k) { return k.content == Content::hidden; });
  }
  // Under act-quant nothing else in the file was computed that way; without it, that key was not.
  bool wanted(const ExpectedKey& key) const { return (key.content == Content::logits_act_quant) == act_quant_; }

  VerifyPart part(const ExpectedKey& key) {
    switch (key.content) {
      case Content::logits:
      case Content::logits_act_quant: return logits(key);
      case Content::mtp_logits:
      case Content::mtp_logits_prenorm: return mtp(key);
      case Content::hidden: return hidden(key);
      case Content::experts: return experts(key);
      case Content::weights: return weights(key);
      case Content::greedy: return greedy();
    }
    return {};
  }

  VerifyPart logits(const ExpectedKey& key) {
    Values v;
    for (int64_t b = 0; b < expected_.sequences(); ++b)
      v.add(runner_.logits(records_[static_cast<size_t>(b)]), expected_.values<float>(key, b));
    return judge_logits(key, v, agreement(-1, 0), has_experts());
  }

  VerifyPart mtp(const ExpectedKey& key) {
    Values v;
    const bool prenorm = key.content == Content::mtp_logits_prenorm;
    for (int64_t b = 0; b < expected_.sequences(); ++b) {
      // Routing is kept from the default path only: that is what the file's experts belong to.
      SequenceRecord scratch;
      SequenceRecord& record = records_[static_cast<size_t>(b)];
      if (prenorm) scratch.final_hidden = record.final_hidden;
      v.add(runner_.mtp_logits(expected_.input(b), prenorm ? scratch : record, key.index, prenorm), expected_.values<float>(key, b));
    }
    return judge_logits(key, v, agreement(prenorm ? -1 : key.index, key.index + 1), has_experts());
  }

  VerifyPart judge_logits(const ExpectedKey& key, const Values& v, const std::vector<bool>& same, bool judge_experts) {
    const int64_t vocab = model_.config.vocab_size;
    const Difference d = difference(v.ours, v.reference);
    std::vector<double> kl = divergences(v.ours, v.reference, vocab);
    VerifyPart p;
    p.max_abs_diff = d.max_abs;
    p.mean_abs_diff_over_std = d.mean_abs_over_std;
    double sum = 0;
    for (double value : kl) sum += value;
    p.kl_mean = sum / static_cast<double>(kl.size());
    std::nth_element(kl.begin(), kl.begin() + static_cast<std::ptrdiff_t>(kl.size() / 2), kl.end());
    p.kl_median = kl[kl.size() / 2];
    p.top1_agreement = top1_agreement(v.ours, v.reference, vocab, same, kFastMargin);
    if (judge_experts) p.experts_agreement = share(same);
    if (!fast_)
      p.pass = key.content == Content::logits_act_quant ? *p.mean_abs_diff_over_std <= kActQuant : d.max_abs <= kLogits;
    else
      p.pass = *p.kl_median <= kFastDivergence && p.experts_agreement.value_or(1) >= kFastExperts &&
               p.top1_agreement.value_or(1) >= kFastTop1;
    return p;
  }

  bool has_experts() const {
    return std::any_of(expected_.keys().begin(), expected_.keys().end(),
                       [](const ExpectedKey& k) { return k.content == Content::experts; });
  }

  // Positions of all sequences (the last `shorter` of each left out) where every layer of the main model, and MTP
  // modules up to `module`, chose the reference's experts. A file without experts is compared in fast mode with our own
  // faithful run, which the rules for faithful mode tie to the reference; in faithful mode all positions count.
  std::vector<bool> agreement(int64_t module, int64_t shorter) {
    const size_t kept = static_cast<size_t>(expected_.tokens() - shorter);
    std::vector<bool> all(kept * static_cast<size_t>(expected_.sequences()), true);
    for (int64_t layer = 0; layer <= model_.config.num_hidden_layers + module; ++layer) {
      const ExpectedKey* key = expected_.find(Content::experts, layer);
      const bool own = key == nullptr && fast_ && !has_experts() && !model_.router_bias[static_cast<size_t>(layer)].empty();
      if (key == nullptr && !own) continue;
      for (int64_t b = 0; b < expected_.sequences(); ++b) {
        const auto same = own ? same_experts(routing(layer, b), faithful_routing(layer, b).index, model_.config,
                                             model_.router_bias[static_cast<size_t>(layer)], 0)
                              : same_at(*key, b);
        for (size_t i = 0; i < kept; ++i)
          if (!same[i]) all[static_cast<size_t>(b) * kept + i] = false;
      }
    }
    return all;
  }

  const Routing& faithful_routing(int64_t layer, int64_t b) {
    if (!faithful_runner_) {
      Context exact = ctx_;
      exact.mode = Mode::faithful;
      faithful_runner_.emplace(exact, model_, expected_.tokens(), options_);
      for (int64_t s = 0; s < expected_.sequences(); ++s) faithful_records_.push_back(faithful_runner_->run(expected_.input(s), false));
    }
    return routing_of(*faithful_runner_, faithful_records_[static_cast<size_t>(b)], layer, b);
  }

  std::vector<bool> same_at(const ExpectedKey& key, int64_t b) {
    return same_experts(routing(key.index, b), expected_.values<int32_t>(key, b), model_.config,
                        model_.router_bias[static_cast<size_t>(key.index)], fast_ ? 0 : kTie);
  }

  const Routing& routing(int64_t layer, int64_t b) { return routing_of(runner_, records_[static_cast<size_t>(b)], layer, b); }

  // What the layer chose; runs the MTP module when the layer is one of its and no logits asked for it.
  const Routing& routing_of(SequenceRunner& runner, SequenceRecord& record, int64_t layer, int64_t b) {
    if (!record.routing.contains(layer))
      runner.mtp_logits(expected_.input(b), record, layer - model_.config.num_hidden_layers, false);
    return record.routing.at(layer);
  }

  VerifyPart hidden(const ExpectedKey& key) {
    Values v;
    for (int64_t b = 0; b < expected_.sequences(); ++b)
      v.add(records_[static_cast<size_t>(b)].hidden[static_cast<size_t>(key.index)], expected_.values<float>(key, b));
    const Difference d = difference(v.ours, v.reference);
    VerifyPart p;
    p.max_abs_diff = d.max_abs;
    p.mean_abs_diff_over_std = d.mean_abs_over_std;
    if (!fast_) p.pass = d.max_abs <= kHidden * std::max(1.0, d.largest);
    return p;
  }

  VerifyPart experts(const ExpectedKey& key) {
    std::vector<bool> same;
    for (int64_t b = 0; b < expected_.sequences(); ++b)
      for (bool s : same_at(key, b)) same.push_back(s);
    VerifyPart p;
    p.experts_agreement = share(same);
    p.pass = *p.experts_agreement >= (fast_ ? kFastExperts : 1.0);
    return p;
  }

  VerifyPart weights(const ExpectedKey& key) {
    VerifyPart p;
    p.max_abs_diff = 0;
    const ExpectedKey* index = expected_.find(Content::experts, key.index);
    if (index == nullptr)
      throw Exception({expected_.file().path(), key.name, "has no topk_index beside it", "name a file that holds both"});
    for (int64_t b = 0; b < expected_.sequences(); ++b)
      p.max_abs_diff = std::max(*p.max_abs_diff, weight_difference(routing(key.index, b), expected_.values<int32_t>(*index, b),
                                                                   expected_.values<float>(key, b), model_.config.num_experts_per_tok));
    if (!fast_) p.pass = *p.max_abs_diff <= kWeights;
    return p;
  }

  VerifyPart greedy() {
    const std::vector<int32_t>& all = expected_.greedy();
    const std::span<const int32_t> prompt = std::span(expected_.input(0)).first(kGreedyPrompt);
    const auto answer = runner_.greedy(prompt, static_cast<int64_t>(all.size() - kGreedyPrompt));
    VerifyPart p;
    p.greedy_equal = std::equal(prompt.begin(), prompt.end(), all.begin()) &&
                     std::equal(answer.begin(), answer.end(), all.begin() + kGreedyPrompt);
    if (!fast_) p.pass = p.greedy_equal;
    return p;
  }

  Context ctx_;
  bool fast_, act_quant_;
  const model::Model& model_;
  Expected expected_;
  model::Options options_;
  SequenceRunner runner_;
  std::vector<SequenceRecord> records_;
  std::optional<SequenceRunner> faithful_runner_;
  std::vector<SequenceRecord> faithful_records_;
};

}  // namespace

uint64_t verify_bytes(const model::Model& model) { return SequenceRunner::bytes_needed(model); }

VerifyReport verify(const Context& ctx, const model::Model& model, const std::string& path, const model::Options& options) {
  return Verifier(ctx, model, path, options).run();
}

}  // namespace fathom::eval
