#include "server/page.h"

#include "base/check.h"
#include "web/assets.h"

namespace fathom::server {
namespace {

// Whether a list of entity tags names this one.
bool lists(std::string_view tags, std::string_view etag) {
  return tags == "*" || tags.find(etag) != std::string_view::npos;
}

}  // namespace

bool is_page_file(std::string_view path) { return web::find_asset(path) != nullptr; }

net::Response page_file(const net::Request& r) {
  const web::Asset* asset = web::find_asset(r.path);
  FATHOM_CHECK(asset != nullptr);
  net::Response response;
  response.headers = {{"Content-Type", std::string(asset->content_type)},
                      {"ETag", std::string(asset->etag)},
                      {"Cache-Control", "no-cache"},
                      {"Content-Security-Policy", std::string(web::content_security_policy())},
                      {"X-Content-Type-Options", "nosniff"},
                      {"Referrer-Policy", "no-referrer"},
                      {"Cross-Origin-Opener-Policy", "same-origin"}};
  if (lists(r.headers.get("If-None-Match"), asset->etag)) {
    response.status = 304;
    return response;
  }
  response.body = std::string(asset->bytes);
  return response;
}

}  // namespace fathom::server
