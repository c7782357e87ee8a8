// Until target_end.h, functions are compiled for Isa::avx512. Headers inside hold templates over the vector
// type only; include what they include before: a standard template compiled here could be the one that the
// linker keeps for the whole program. No include guard: a file may open the region more than once.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi"))), \
                             apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi")
#endif
