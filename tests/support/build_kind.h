// What kind of build a test runs in: whether its times and sizes mean anything.
#pragma once

// Both compilers say which sanitizer they compile for, each in its own way.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FATHOM_ADDRESS_SANITIZER 1
#elif __has_feature(thread_sanitizer)
#define FATHOM_THREAD_SANITIZER 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define FATHOM_ADDRESS_SANITIZER 1
#elif defined(__SANITIZE_THREAD__)
#define FATHOM_THREAD_SANITIZER 1
#endif

namespace fathom::test {

#ifdef FATHOM_THREAD_SANITIZER
inline constexpr bool kThreadSanitizer = true;
#else
inline constexpr bool kThreadSanitizer = false;
#endif

// Sanitizers keep freed memory and shadow of it, and take several times the time.
#ifdef FATHOM_ADDRESS_SANITIZER
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = kThreadSanitizer;
#endif

// Whether figures of this build are judged: optimized and without sanitizers.
#ifdef NDEBUG
inline constexpr bool kFiguresCount = !kSanitized;
#else
inline constexpr bool kFiguresCount = false;
#endif

}  // namespace fathom::test
