// The forward pass: what training, prefill and decoding share.
#pragma once

#include <cstdint>
#include <span>

#include "model/model.h"
#include "model/step.h"
#include "model/workspace.h"
#include "tensor/context.h"

namespace fathom::model {

struct Pass;

// Runs a model's parts. Holds no state between calls but the workspace's memory; one thread at a time.
class Forward {
 public:
  // `model`, `workspace` and the context's pool outlive it.
  Forward(const Context& ctx, const Model& model, Workspace& workspace, Options options = {})
      : ctx_(ctx), model_(model), ws_(workspace), options_(options) {}

  // Embedding and all layers. Returns the residual stream [T, H], before the final norm; valid until the next
  // call. Writes the rows' entries into the step's cache. REQUIRES: T <= workspace.max_rows().
  Mat<float> layers(const Step& step, Observer* observer = nullptr);

  // What heads and MTP modules take: norm(hidden). out [T, H] may be hidden.
  void final_norm(Mat<const float> hidden, Mat<float> out);

  // logits [T, V] from normed rows.
  void head(Mat<const float> normed, Mat<float> logits);

  // MTP module k (report eq. 21 to 23): row i combines `previous[i]` with the embedding of step.tokens[i],
  // the token after it. `previous` is the normed output of the main model or of module k - 1 (with
  // Options::mtp_prenorm: the residual stream itself). Returns the module's residual stream [T, H], valid
  // until the next call.
  Mat<float> mtp(int64_t k, const Step& step, Mat<const float> previous, Observer* observer = nullptr);
  // The same where only the rows `wanted` (rising) are asked for: the others leave their entries in the cache
  // and cost little more than the product with eh_proj. Returns [wanted, H].
  Mat<float> mtp_rows(int64_t k, const Step& step, Mat<const float> previous,
                      std::span<const int32_t> wanted);
  // norm(hidden) of module k.
  void mtp_norm(int64_t k, Mat<const float> hidden, Mat<float> out);
  void mtp_head(int64_t k, Mat<const float> normed, Mat<float> logits);

  const Context& context() const { return ctx_; }
  const Model& model() const { return model_; }
  const Options& options() const { return options_; }

 private:
  void begin(const Step& step);
  Mat<float> mtp_input(const Pass& pass, const MtpParameters& p, int64_t k, Mat<const float> previous);
  void norm(const Weight& weight, Mat<const float> x, Mat<float> y);

  Context ctx_;
  const Model& model_;
  Workspace& ws_;
  Options options_;
};

}  // namespace fathom::model
