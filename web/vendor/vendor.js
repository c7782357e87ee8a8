// The libraries of the page, as Debian packages them, in one module: Markdown parser, TeX, syntax highlighting.
import MarkdownIt from "markdown-it";
import katex from "katex/katex.mjs";
import hljs from "highlight.js/lib/highlight.js";
import bash from "highlight.js/lib/languages/bash.js";
import cmake from "highlight.js/lib/languages/cmake.js";
import cpp from "highlight.js/lib/languages/cpp.js";
import cs from "highlight.js/lib/languages/cs.js";
import css from "highlight.js/lib/languages/css.js";
import diff from "highlight.js/lib/languages/diff.js";
import dockerfile from "highlight.js/lib/languages/dockerfile.js";
import fortran from "highlight.js/lib/languages/fortran.js";
import go from "highlight.js/lib/languages/go.js";
import haskell from "highlight.js/lib/languages/haskell.js";
import ini from "highlight.js/lib/languages/ini.js";
import java from "highlight.js/lib/languages/java.js";
import javascript from "highlight.js/lib/languages/javascript.js";
import json from "highlight.js/lib/languages/json.js";
import julia from "highlight.js/lib/languages/julia.js";
import kotlin from "highlight.js/lib/languages/kotlin.js";
import lisp from "highlight.js/lib/languages/lisp.js";
import lua from "highlight.js/lib/languages/lua.js";
import makefile from "highlight.js/lib/languages/makefile.js";
import matlab from "highlight.js/lib/languages/matlab.js";
import ocaml from "highlight.js/lib/languages/ocaml.js";
import perl from "highlight.js/lib/languages/perl.js";
import php from "highlight.js/lib/languages/php.js";
import python from "highlight.js/lib/languages/python.js";
import r from "highlight.js/lib/languages/r.js";
import ruby from "highlight.js/lib/languages/ruby.js";
import rust from "highlight.js/lib/languages/rust.js";
import scala from "highlight.js/lib/languages/scala.js";
import shell from "highlight.js/lib/languages/shell.js";
import sql from "highlight.js/lib/languages/sql.js";
import swift from "highlight.js/lib/languages/swift.js";
import tex from "highlight.js/lib/languages/tex.js";
import typescript from "highlight.js/lib/languages/typescript.js";
import xml from "highlight.js/lib/languages/xml.js";
import yaml from "highlight.js/lib/languages/yaml.js";

const languages = {
  bash, cmake, cpp, cs, css, diff, dockerfile, fortran, go, haskell, ini, java, javascript, json, julia, kotlin, lisp,
  lua, makefile, matlab, ocaml, perl, php, python, r, ruby, rust, scala, shell, sql, swift, tex, typescript, xml, yaml,
};
for (const [name, grammar] of Object.entries(languages)) hljs.registerLanguage(name, grammar);

export { MarkdownIt, katex, hljs };
