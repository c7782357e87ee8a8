"""The scripted answers of the fake server: the first word of the last user message chooses one."""

MARKDOWN = """# Rivers

A short *overview* with **strong** words, `code`, and a [link](https://example.org/rivers "title").

## Lengths

| River | Length | Note |
|:------|-------:|:----:|
| Nile | 6,650 km | Africa |
| Rhine | 1,230 km | Europe |

1. first
2. second
   - inner one
   - inner two

> A quoted line.

---

#### Skipping levels

Bare address: https://example.org/bare. It cost $5 and then $7, no formula.
"""

MATH = r"""Euler found \(e^{i\pi} + 1 = 0\), and $a^2 + b^2 = c^2$ is older.

$$
\int_{-\infty}^{\infty} e^{-x^2} \, dx = \sqrt{\pi}
$$

With a matrix:

\[
\begin{pmatrix} a & b \\ c & d \end{pmatrix}^{-1} = \frac{1}{ad - bc} \begin{pmatrix} d & -b \\ -c & a \end{pmatrix}
\]

Broken: $\frac{1$ and refused: $\def\x{1}\x$.
"""

CODE = """Here is a program:

```python
def greet(name: str) -> str:
    # A comment with <b>markup</b> & more.
    return f"Hello, {name}! This line is rather long so that the block has to scroll sideways on every screen, phone or desktop."
```

```cpp
#include <vector>
int main() { return std::vector<int>{1, 2, 3}.size() > 2 ? 0 : 1; }
```

```
no language
```
"""

HOSTILE = """<script>window.hacked = 1</script>

<img src=x onerror="window.hacked = 2">

[run](javascript:window.hacked=3) [data](data:text/html,<script>alert(1)</script>) ![pixel](https://example.org/p.png)

[entity](&#106;avascript:window.hacked=4) <https://example.org/auto> <javascript:window.hacked=5>

[ref]

[ref]: javascript:window.hacked=6

```html"><script>window.hacked = 7</script>
<script>window.hacked = 8</script>
```

$\\href{javascript:window.hacked=9}{x}$ $\\htmlStyle{color:red}{y}$ \\(\\includegraphics{https://example.org/q.png}\\)

<style>body { display: none }</style>
<iframe srcdoc="<script>top.hacked = 10</script>"></iframe>
<a href="https://example.org" onclick="window.hacked = 11">x</a>
"""

# Each drove a parser of this page, or one like it, to long loops.
HEAVY = "\n\n".join([
    ">" * 3000 + " deep", "[" * 3000, "*a_" * 3000, "`" * 3000 + " ``", "$" * 3000, "a" + " " * 60000 + "b",
    "$" + "{" * 1500 + "$", r"$\edef\a{\a\a}\a$", "|a" * 300 + "|\n" + "|-" * 300 + "|\n" + "|b" * 300 + "|",
    "<a " * 2000, "https://" + "a." * 2000, "- " * 1000 + "x", "\\(" * 2000,
])

THOUGHTS = """The person asks about a sum. I add the parts: \\(12 + 30 = 42\\).

Let me check it once more, from the other side."""

PLAIN = "The sum is **42**."

LONG = "\n\n".join(f"Paragraph {n} of a long answer, with enough words to fill a line or two on a phone." for n in range(40))

JSON_TEXT = '{"answer": "42", "steps": [12, 30], "exact": true, "big": 12345678901234567890}'

SLOW = "word " * 400


def tool_calls():
    return [("call_1", "get_weather", '{"city": "Paris"}'), ("call_2", "get_weather", '{"city": "Bern"}')]
