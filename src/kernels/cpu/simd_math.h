// The exponential that every CPU kernel uses: one polynomial, so that one value has one result everywhere.
#pragma once

namespace fathom::kernels::cpu {

// e^x to about one unit in the last place; 0 below -87.3, clamped at e^88, NaN for NaN. Cody and Waite's
// reduction and the Taylor polynomial of degree 7 on [-ln 2 / 2, ln 2 / 2].
template <class S>
typename S::F exp(typename S::F x) {
  using F = typename S::F;
  const F lowest = S::set1(-87.3f);
  const F bounded = S::max(lowest, S::min(S::set1(88.0f), x));
  const F n = S::round_even(S::mul(bounded, S::set1(1.44269504f)));
  const F r = S::fnma(n, S::set1(-2.12194440e-4f), S::fnma(n, S::set1(0.693359375f), bounded));
  F p = S::set1(1.0f / 5040);
  p = S::fma(p, r, S::set1(1.0f / 720));
  p = S::fma(p, r, S::set1(1.0f / 120));
  p = S::fma(p, r, S::set1(1.0f / 24));
  p = S::fma(p, r, S::set1(1.0f / 6));
  p = S::fma(p, r, S::set1(0.5f));
  p = S::fma(p, r, S::set1(1.0f));
  p = S::fma(p, r, S::set1(1.0f));
  return S::unless_less(x, lowest, S::mul(p, S::pow2(n)));
}

template <class S>
float exp1(float x) {
  float lane[S::kLanes];
  S::store(lane, exp<S>(S::set1(x)));
  return lane[0];
}

// 1 / (1 + e^-x)
template <class S>
typename S::F sigmoid(typename S::F x) {
  const typename S::F one = S::set1(1.0f);
  return S::div(one, S::add(one, exp<S>(S::sub(S::zero(), x))));
}

}  // namespace fathom::kernels::cpu
