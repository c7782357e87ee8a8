#include <algorithm>
#include <cstdio>

#include "apps/model_facts.h"
#include "base/progress.h"

namespace fathom::apps {
namespace {

constexpr size_t kColumns = 100, kLabel = 16;
constexpr size_t kNamedDamage = 20;  // tensors that the page lists; --json lists all

std::string grouped(uint64_t n) {
  const std::string digits = std::to_string(n);
  std::string out;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  return out;
}

std::string grouped(int64_t n) { return grouped(static_cast<uint64_t>(n)); }

// "671.03 billion"
std::string parameters_text(int64_t n) {
  const auto v = static_cast<double>(n);
  char text[48];
  if (v >= 1e9)
    std::snprintf(text, sizeof text, "%.2f billion", v / 1e9);
  else if (v >= 1e6)
    std::snprintf(text, sizeof text, "%.2f million", v / 1e6);
  else
    return grouped(n);
  return text;
}

std::string size_text(uint64_t bytes) { return bytes_text(static_cast<double>(bytes)); }

// Labelled lines, broken at spaces before they grow too long.
class Page {
 public:
  void line(const std::string& label, const std::string& text) {
    std::string rest = text;
    for (bool first = true; first || !rest.empty(); first = false) {
      std::string start = first ? label : "";
      start.resize(kLabel, ' ');
      const size_t room = kColumns - kLabel;
      size_t end = rest.size();
      if (end > room) {
        end = rest.rfind(' ', room);
        if (end == std::string::npos || end == 0) end = room;
      }
      out_ += start + rest.substr(0, end) + "\n";
      rest.erase(0, end);
      rest.erase(0, rest.find_first_not_of(' '));
    }
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

std::string mtp_text(const model::Model& m) {
  const size_t count = m.parameters.mtp.size();
  if (count == 0) return "none";
  const bool embed = static_cast<bool>(m.parameters.mtp[0].embed),
             head = static_cast<bool>(m.parameters.mtp[0].head);
  return std::to_string(count) + (count == 1 ? " module, " : " modules, ") +
         (embed && head ? "with embedding and head of its own"
          : embed       ? "with an embedding of its own and the model's head"
          : head        ? "with the model's embedding and a head of its own"
                        : "with the model's embedding and head");
}

void architecture_lines(const ModelFacts& f, Page& page) {
  const model::Config& c = f.model.config;
  const auto n = [](int64_t v) { return std::to_string(v); };
  const int64_t moe = f.moe_layers();
  page.line("architecture", c.model_type + ", " + n(c.num_hidden_layers) + " layers (" +
                                n(c.num_hidden_layers - moe) + " dense, " + n(moe) + " MoE), hidden " +
                                n(c.hidden_size) + ", vocabulary " + n(c.vocab_size));
  page.line("attention", n(c.num_attention_heads) + " latent heads (MLA), " + n(c.qk_nope_head_dim) + " + " +
                             n(c.qk_rope_head_dim) + " rotated channels, latent " + n(c.kv_lora_rank) +
                             (c.q_lora_rank > 0 ? ", query rank " + n(c.q_lora_rank) : ""));
  if (moe > 0)
    page.line("experts",
              n(c.num_experts_per_tok) + " of " + n(c.n_routed_experts) + " a token and " +
                  n(c.n_shared_experts) + " shared, width " + n(c.moe_intermediate_size) +
                  (c.n_group > 1 ? ", from " + n(c.topk_group) + " of " + n(c.n_group) + " groups" : ""));
  page.line("MTP", mtp_text(f.model));
  std::string context = grouped(c.max_position_embeddings) + " tokens";
  if (c.yarn) context += ", YaRN from " + grouped(c.yarn->original_max_position_embeddings);
  page.line("context", context);
  std::string parameters = parameters_text(f.parameters.total) + ", " +
                           parameters_text(f.parameters.activated) + " activated by a token";
  if (f.parameters.mtp > 0) parameters += "; MTP " + parameters_text(f.parameters.mtp) + " more";
  page.line("parameters", parameters);
}

void weight_lines(const ModelFacts& f, Page& page) {
  const size_t files = f.model.directory.files().size();
  page.line("weights", size_text(f.file_bytes) + " in " + std::to_string(files) +
                           (files == 1 ? " file, " : " files, ") + grouped(f.tensor_total.count) +
                           " tensors");
  for (const auto& [type, total] : f.tensors) {
    char row[96];
    std::snprintf(row, sizeof row, "%-8s %9s tensors %19s bytes", type.c_str(), grouped(total.count).c_str(),
                  grouped(total.bytes).c_str());
    page.line("", row);
  }
  if (f.model.config.fp8_weights)
    page.line("",
              std::string("FP8 in blocks of 128x128, ") + (f.model.config.scale_format == ScaleFormat::ue8m0
                                                               ? "activation scales powers of two (ue8m0)"
                                                               : "activation scales in FP32"));
  const int64_t layers = f.model.config.num_hidden_layers, mtp = f.model.config.num_nextn_predict_layers;
  const auto cache = [&](int64_t bytes) {
    return grouped(f.cache_bytes(layers, bytes)) + " bytes" +
           (mtp > 0 ? " + " + grouped(f.cache_bytes(mtp, bytes)) + " for MTP" : "");
  };
  page.line("cache a token", cache(kFastBytes) + " (fast), " + cache(kFaithfulBytes) + " (faithful)");
  const auto whole =
      static_cast<uint64_t>(f.cache_bytes(layers + mtp, kFastBytes) * f.model.config.max_position_embeddings);
  page.line("", size_text(whole) + " for a full context (fast)");
}

void text_lines(const ModelFacts& f, Page& page) {
  if (!f.tokenizer) {
    page.line("tokenizer", f.tokenizer_missing + "; verify and --ids work, text commands do not");
  } else {
    const auto id = [](const std::optional<int32_t>& v) {
      return v ? std::to_string(*v) : std::string("none");
    };
    std::string text = std::to_string(f.tokenizer->vocab_size()) + " ids, BOS " + id(f.tokenizer->bos_id()) +
                       ", EOS " + id(f.tokenizer->eos_id());
    if (f.tokenizer->vocab_size() > f.model.config.vocab_size)
      text += "; more ids than the vocabulary of the weights";
    page.line("tokenizer", text);
  }
  page.line("chat format", f.chat_format.empty() ? f.chat_unknown + "; chat needs --format" : f.chat_format);
}

std::string rate_text(double tokens_per_second) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", tokens_per_second);
  return tokens_per_second < 100 ? text : grouped(static_cast<uint64_t>(tokens_per_second));
}

void machine_lines(const ModelFacts& f, Page& page) {
  const model::ResidencyPlan& plan = f.residency;
  page.line("to run here", size_text(f.tensor_total.bytes) + " of weights, " + size_text(f.available_memory) +
                               " of memory available, " + size_text(f.beside_weights) +
                               " of it for cache and activations: " +
                               (plan.streams ? "experts are read from the disk as they are chosen"
                                             : "all weights stay in memory once read"));
  const double touched = std::max(1.0, static_cast<double>(f.weights.touched()));
  if (plan.streams) {
    char share[16];
    std::snprintf(share, sizeof share, "%.0f %%", 100 * plan.kept_share);
    page.line("", grouped(plan.experts_kept) + " experts (" + share + ") stay in memory beside " +
                      size_text(static_cast<uint64_t>(f.weights.dense)) + " that every token needs" +
                      (plan.dense_fits ? "" : ", which do not fit either"));
    page.line("", bytes_text(plan.disk_bytes_token) +
                      " are read from the disk for a token when all experts are chosen " +
                      "equally often: at most " + rate_text(f.disk_tokens_per_second()) + " tokens/s at " +
                      bytes_text(f.disk_rate.value_or(ModelFacts::kAssumedDiskRate)) + "/s (" +
                      (f.disk_rate ? "measured now" : "assumed: the files cannot be read directly") + ")");
  }
  page.line("", bytes_text(touched) + " are read from memory for a token: at most " +
                    rate_text(100e9 / touched) + " tokens/s per 100 GB/s of bandwidth");
  page.line("machine", f.isas + "; " + f.threads_reason);
}

void check_lines(const ModelFacts& f, Page& page) {
  if (!f.check) return;
  const auto& check = *f.check;
  char read[96];
  std::snprintf(read, sizeof read, "%s read in %.1f s, ", size_text(check.bytes).c_str(), check.seconds);
  page.line("check", read + (check.damaged.empty()
                                 ? std::string("no NaN and no infinity")
                                 : grouped(static_cast<uint64_t>(check.damaged.size())) + " damaged:"));
  for (size_t i = 0; i < std::min(check.damaged.size(), kNamedDamage); ++i)
    page.line("", check.damaged[i].tensor + ": " + check.damaged[i].problem);
  if (check.damaged.size() > kNamedDamage) page.line("", "... (--json lists all)");
}

}  // namespace

std::string facts_text(const ModelFacts& f) {
  Page page;
  page.line("model", f.model.directory.path());
  architecture_lines(f, page);
  weight_lines(f, page);
  text_lines(f, page);
  machine_lines(f, page);
  check_lines(f, page);
  return page.take();
}

}  // namespace fathom::apps
