// Which chat format a model directory has, told by the template it carries.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "text/chat_format.h"

namespace fathom::text {

// The format whose official template this is, or whose equal byte_tokenizer.h has. Templates are compared as
// a whole; only what cannot change a rendering may differ: white space inside tags and where the tags
// themselves remove it, and how a newline in a string is spelled. Any other template is an Error that lists
// the known formats. `where` names the source in it.
Result<ChatFormat> chat_format_of_template(std::string_view source, const std::string& where);

// Reads DIRECTORY/chat_template.jinja, else "chat_template" of DIRECTORY/tokenizer_config.json (a text, or a
// list of which "default" counts). Nothing there is an Error too; both name `--format` as the way out.
Result<ChatFormat> chat_format_of_directory(const std::string& directory);

}  // namespace fathom::text
