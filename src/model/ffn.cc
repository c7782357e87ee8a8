#include "kernels/linear.h"
#include "kernels/swiglu.h"
#include "model/layers.h"

namespace fathom::model {

void ffn(const Pass& pass, const FfnParameters& p, Mat<const float> x, Mat<float> out, Write write) {
  Workspace& ws = pass.ws;
  const Mat<float> gate = pass.active(ws.gate).columns(0, p.gate.rows);
  const Mat<float> up = pass.active(ws.up).columns(0, p.up.rows);
  const Mat<const float> in = linear_input(pass, p.gate, x, ws.quantized);
  const kernels::LinearTask tasks[] = {{.x = in, .w = p.gate, .y = gate}, {.x = in, .w = p.up, .y = up}};
  kernels::linear(pass.ctx, {.tasks = tasks});
  kernels::swiglu(pass.ctx, {.gate = gate, .up = up, .y = gate});
  const kernels::LinearTask down[] = {{.x = linear_input(pass, p.down, gate, ws.quantized), .w = p.down, .y = out}};
  kernels::linear(pass.ctx, {.tasks = down, .write = write});
}

}  // namespace fathom::model
