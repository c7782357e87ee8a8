#include "text/byte_tokenizer.h"

namespace fathom::text {

// chat_detect knows this text by its fingerprint: compare with the official template again before changing
// it. Every tag has dashes, so no white space of this file reaches a rendering. Texts are joined with +,
// which fails on what is not a text just where the official template does.
// clang-format off
std::string_view byte_tokenizer_template() {
  return R"jinja({%- set think = thinking is defined and thinking -%}
{%- set at = namespace(system='', gap='', asked=false, results=false) -%}
{%- for turn in messages -%}
  {%- if turn['role'] == 'system' -%}
    {%- set at.system = at.system + at.gap + turn['content'] -%}
    {%- set at.gap = '\n\n' -%}
  {%- endif -%}
{%- endfor -%}
{{- bos_token -}}
{{- at.system -}}
{%- for turn in messages -%}
  {%- set role = turn['role'] -%}
  {%- if role == 'user' -%}
    {{- '<｜User｜>' + turn['content'] -}}
    {%- set at.asked = true -%}
    {%- set at.results = false -%}
  {%- elif role == 'tool' -%}
    {{- '<｜tool▁output▁begin｜>' + turn['content'] + '<｜tool▁output▁end｜>' -}}
    {%- set at.asked = false -%}
    {%- set at.results = true -%}
  {%- elif role == 'assistant' and turn['tool_calls'] is defined and turn['tool_calls'] is not none -%}
    {%- if at.asked -%}
      {{- '<｜Assistant｜></think>' -}}
    {%- endif -%}
    {%- for call in turn['tool_calls'] -%}
      {%- if loop.first -%}
        {{- ('' if turn['content'] is none else turn['content']) + '<｜tool▁calls▁begin｜>' -}}
      {%- endif -%}
      {{- '<｜tool▁call▁begin｜>' + call['function']['name'] -}}
      {{- '<｜tool▁sep｜>' + call['function']['arguments'] + '<｜tool▁call▁end｜>' -}}
    {%- endfor -%}
    {{- '<｜tool▁calls▁end｜><｜end▁of▁sentence｜>' -}}
    {%- set at.asked = false -%}
    {%- set at.results = false -%}
  {%- elif role == 'assistant' -%}
    {%- if at.asked -%}
      {{- '<｜Assistant｜>' + ('<think>' if think and turn['prefix'] is defined and turn['prefix'] else '</think>') -}}
    {%- endif -%}
    {{- (turn['content'] if at.results else turn['content'].split('</think>', 1)[-1]) + '<｜end▁of▁sentence｜>' -}}
    {%- set at.asked = false -%}
    {%- set at.results = false -%}
  {%- endif -%}
{%- endfor -%}
{%- if at.asked and add_generation_prompt is defined and add_generation_prompt -%}
  {{- '<｜Assistant｜>' + ('<think>' if think else '</think>') -}}
{%- endif -%}
)jinja";
}
// clang-format on

}  // namespace fathom::text
