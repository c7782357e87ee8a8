// Rows and blocks of floats to the narrow types of files, several at a time; to the bit what to_bf16 and
// to_e4m3 give.
#pragma once

#include <cstdint>

#include "numeric/bf16.h"
#include "numeric/e4m3.h"
#include "numeric/scaling.h"

namespace fathom {

void to_bf16_row(const float* in, int64_t count, bf16* out);

// out[i] = in[i] / scale, rounded and saturated at 448.
void to_e4m3_row(const float* in, float scale, int64_t count, e4m3* out);

// One block of a weight, [rows, cols] with rows `stride` elements apart, and rows of `out` `out_stride`
// apart; at most 128x128 at a ragged edge. Returns the scale: amax / 448, rounded up to a power of two for
// ue8m0; 1 for a block of zeros; never below the smallest normal float. A NaN or infinite value gives a scale
// that is not finite, which every reader of the file refuses.
float quantize_block(const float* in, int64_t stride, int64_t rows, int64_t cols, ScaleFormat format,
                     e4m3* out, int64_t out_stride);

}  // namespace fathom
