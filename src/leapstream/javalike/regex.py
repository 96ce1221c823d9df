"""Translates Java's regular expressions to the ``regex`` package.

A translation uses only constructs with equal meaning in both: character classes are written out as ranges of code points, and
groups do not capture. A pattern with any other construct raises an error that names the construct.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NoReturn

from leapstream.errors import BundleError, UnsupportedOpError

Range = tuple[int, int]
_LAST = 0x10FFFF


@dataclass(frozen=True)
class Chars:
    """A set of characters: ranges, and Unicode properties in the syntax of ``regex``; all others if ``inverted``."""

    ranges: tuple[Range, ...]
    properties: tuple[str, ...] = ()
    inverted: bool = False

    def invert(self) -> Chars:
        """The set of all other characters."""
        if self.properties:
            return Chars(self.ranges, self.properties, not self.inverted)
        inverse, start = [], 0
        for low, high in _merged(self.ranges):
            if start < low:
                inverse.append((start, low - 1))
            start = high + 1
        if start <= _LAST:
            inverse.append((start, _LAST))
        return Chars(tuple(inverse))

    def fold(self) -> Chars:
        """The set with both cases of its ASCII letters."""
        other = [(low ^ 32, high ^ 32) for a, b in ((65, 90), (97, 122)) for low, high in _clip(self.ranges, a, b)]
        return Chars((*self.ranges, *other), self.properties)

    @property
    def ascii_table(self) -> tuple[tuple[bool, ...], bool] | None:
        """For each ASCII character, true if it is in the set; and true if all others are. ``None`` if only some others are."""
        beyond = _merged(_clip(self.ranges, 128, _LAST))
        if self.properties or (beyond and beyond != [(128, _LAST)]):
            return None
        return tuple(any(low <= c <= high for low, high in self.ranges) for c in range(128)), bool(beyond)


def _clip(ranges: tuple[Range, ...], low: int, high: int) -> tuple[Range, ...]:
    return tuple((max(a, low), min(b, high)) for a, b in ranges if a <= high and b >= low)


def _merged(ranges: tuple[Range, ...]) -> list[Range]:
    merged: list[Range] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return merged


@dataclass(frozen=True)
class JavaPattern:
    """A translated pattern.

    Attributes:
        sources: patterns for ``regex``, whose results must agree. There are two if the pattern has ``\\b``, which is the
            boundary of an ASCII word since Java 19, and of a Unicode word before. For ASCII texts the first one is enough.
        matches_empty: true if the pattern may match an empty part of a text.
        splits_pairs: true if Java may find a match that starts inside a pair of surrogates.
        chars: the set of characters if the pattern consists of one, otherwise ``None``.
        repeated: true if ``chars`` has the quantifier ``+``.
        loops: the number of quantifiers, infinite where one repeats another or repeats alternatives. Where matching has to go
            back, it takes a step for each way to share a part of the text among them.
    """

    sources: tuple[str, ...]
    matches_empty: bool
    splits_pairs: bool
    chars: Chars | None
    repeated: bool
    loops: float


@lru_cache(maxsize=256)
def translate(pattern: str) -> JavaPattern:
    """Translate a pattern of ``java.util.regex`` that is compiled without flags.

    Raises:
        BundleError: Java does not accept the pattern either.
        UnsupportedOpError: the pattern has a construct that cannot be translated.
    """
    parser = _Parser(pattern, ascii_words=True)
    node = parser.parse()
    sources = [node.text]
    if parser.has_word_edges:
        sources.append(_Parser(pattern, ascii_words=False).parse().text)
    # Java also looks for empty matches, and for some with a dot, between the two halves of a pair of surrogates.
    splits_pairs = node.empty or (parser.has_dot and (parser.has_word_edges or parser.looks_behind))
    return JavaPattern(tuple(sources), node.empty, splits_pairs, node.chars, node.repeated, node.loops)


def check(pattern: str) -> None:
    """Raise ``BundleError`` for a pattern that Java certainly rejects."""
    try:
        translate(pattern)
    except UnsupportedOpError:
        pass


# ---- sets of characters -----------------------------------------------------------------------------------------------


def _chars(*parts: str | Range) -> Chars:
    return Chars(tuple(part if isinstance(part, tuple) else (ord(part), ord(part)) for part in parts))


_LOWER, _UPPER, _DIGIT = (97, 122), (65, 90), (48, 57)
_PUNCTUATION = ((33, 47), (58, 64), (91, 96), (123, 126))
_TERMINATORS = _chars("\n", "\r", "\x85", (0x2028, 0x2029))
_PREDEFINED = {
    "d": _chars(_DIGIT),
    "s": _chars((9, 13), " "),
    "w": _chars(_DIGIT, _UPPER, "_", _LOWER),
    "h": _chars(" ", "\t", "\xa0", "\u1680", "\u180e", (0x2000, 0x200A), "\u202f", "\u205f", "\u3000"),
    "v": _chars((10, 13), "\x85", (0x2028, 0x2029)),
}
_POSIX = {
    "Lower": _chars(_LOWER),
    "Upper": _chars(_UPPER),
    "ASCII": _chars((0, 127)),
    "Alpha": _chars(_LOWER, _UPPER),
    "Digit": _chars(_DIGIT),
    "Alnum": _chars(_LOWER, _UPPER, _DIGIT),
    "Punct": _chars(*_PUNCTUATION),
    "Graph": _chars((33, 126)),
    "Print": _chars((32, 126)),
    "Blank": _chars(" ", "\t"),
    "Cntrl": _chars((0, 31), (127, 127)),
    "XDigit": _chars(_DIGIT, (65, 70), (97, 102)),
    "Space": _chars((9, 13), " "),
}
_CATEGORIES = re.compile("L[ulmot]?|M[nce]?|N[dlo]?|P[cdseifo]?|S[mcko]?|Z[slp]?|C[cf]")
_SCRIPTS = re.compile(
    "Latin|Greek|Cyrillic|Armenian|Hebrew|Arabic|Devanagari|Bengali|Thai|Georgian|Hangul|Hiragana|Katakana|Han|Common"
)
_BINARY = {
    "alphabetic": "Alphabetic",
    "ideographic": "Ideographic",
    "letter": "L",
    "punctuation": "P",
    "control": "Cc",
    "white_space": "White_Space",
    "digit": "Nd",
    "uppercase": "Uppercase",
    "lowercase": "Lowercase",
    "titlecase": "Lt",
}
_CASED = {"Lower", "Upper", "Lu", "Ll", "Lt", "Uppercase", "Lowercase"}
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "a": "\a", "e": "\x1b"}

_ASTRAL = r"[\U00010000-\U0010ffff]"
_LETTER_OR_DIGIT = rf"(?!{_ASTRAL})[\p{{L}}\p{{Nd}}]"


def _word_edges(word: str) -> tuple[str, str]:
    """Patterns for the text before and after a word boundary; a combining mark belongs to the letter or digit before it."""
    mark = rf"(?=\p{{Mn}})(?<={_LETTER_OR_DIGIT}\p{{Mn}}*)"
    return rf"(?<={word}|{_LETTER_OR_DIGIT}\p{{Mn}}+)", rf"(?:(?={word})|{mark})"


_WORD_EDGES = {True: _word_edges("[0-9A-Z_a-z]"), False: _word_edges(r"[\p{L}\p{Nd}_]")}
_END = r"(?:\Z|(?=\r\n\Z)|(?<!\r)(?=\n\Z)|(?=[\r\x85\u2028\u2029]\Z))"


def _code(c: int) -> str:
    return chr(c) if c < 128 and chr(c).isalnum() else f"\\U{c:08x}"


def _set(chars: Chars) -> str:
    if not chars.ranges and not chars.properties:
        return "(?!)"
    ranges = (_code(low) if low == high else f"{_code(low)}-{_code(high)}" for low, high in _merged(chars.ranges))
    return f"[{'^' if chars.inverted else ''}{''.join(ranges)}{''.join(chars.properties)}]"


# ---- the parser -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Node:
    """A part of a pattern.

    Attributes:
        text: its translation.
        empty: true if it may match an empty text.
        chars, repeated, loops: as in :class:`JavaPattern`.
        choices: true if it has alternatives.
    """

    text: str
    empty: bool
    chars: Chars | None = None
    repeated: bool = False
    loops: float = 0
    choices: bool = False

    def within(self, text: str, empty: bool) -> _Node:
        """This part within a group, whose translation is ``text``."""
        return _Node(text, empty, loops=self.loops, choices=self.choices)


@dataclass
class _Parser:
    """A recursive-descent parser of a pattern."""

    pattern: str
    ascii_words: bool
    at: int = 0
    ignore_case: bool = False
    dot_all: bool = False
    has_word_edges: bool = False
    has_dot: bool = False
    looks_behind: bool = False
    depth: int = 0
    behind: int = 0
    names: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.text = _without_quotes(self.pattern)

    def parse(self) -> _Node:
        node = self.alternatives()
        if self.at < len(self.text):
            self.invalid("unmatched ')'")
        return node

    @property
    def shown(self) -> str:
        return repr(self.pattern if len(self.pattern) <= 200 else self.pattern[:200] + "…")

    def invalid(self, reason: str) -> NoReturn:
        raise BundleError(f"the regular expression {self.shown} is not valid in Java: {reason}")

    def unsupported(self, construct: str) -> NoReturn:
        raise UnsupportedOpError(
            f"the regular expression {self.shown} has {construct}, which is not supported outside of the JVM"
        )

    def peek(self, n: int = 0) -> str:
        return self.text[self.at + n : self.at + n + 1]

    def next(self) -> str:
        char = self.peek()
        self.at += 1
        return char

    def eat(self, text: str) -> bool:
        found = self.text.startswith(text, self.at)
        if found:
            self.at += len(text)
        return found

    # -- structure --

    def alternatives(self) -> _Node:
        branches = [self.sequence()]
        while self.eat("|"):
            branches.append(self.sequence())
        if len(branches) == 1:
            return branches[0]
        text = "|".join(b.text for b in branches)
        return _Node(text, any(b.empty for b in branches), loops=sum(b.loops for b in branches), choices=True)

    def sequence(self) -> _Node:
        nodes: list[_Node] = []
        while self.peek() not in ("", "|", ")"):
            node = self.atom()
            if node is not None:
                nodes.append(self.quantified(node))
        if len(nodes) == 1:
            return nodes[0]
        text = "".join(n.text for n in nodes)
        loops, choices = sum(n.loops for n in nodes), any(n.choices for n in nodes)
        return _Node(text, all(n.empty for n in nodes), loops=loops, choices=choices)

    def atom(self) -> _Node | None:
        char = self.next()
        if char == "(":
            return self.group()
        if char == "[":
            return self.of(self.char_class())
        if char == "\\":
            return self.escape()
        if char == ".":
            self.has_dot = True
            return self.of(_chars((0, _LAST)) if self.dot_all else _TERMINATORS.invert())
        if char == "^":
            return _Node(r"\A", True)
        if char == "$":
            return _Node(_END, True)
        if char in "*+?":
            self.invalid(f"nothing for {char!r} to repeat")
        if char == "{":
            if self.peek().isdigit():
                self.unsupported("a repetition of nothing")
            self.invalid("a '{' that is not a repetition")
        return self.literal(ord(char))

    def of(self, chars: Chars) -> _Node:
        return _Node(_set(chars), False, chars)

    def literal(self, code: int) -> _Node:
        chars = Chars(((code, code),))
        return self.of(chars.fold() if self.ignore_case else chars)

    def quantified(self, node: _Node) -> _Node:
        char = self.peek()
        if char not in ("*", "+", "?", "{"):
            return node
        self.at += 1
        low, high = {"*": (0, None), "+": (1, None), "?": (0, 1), "{": (0, 0)}[char]
        if char == "{":
            low, high = self.counts()
        mode = self.next() if self.peek() in ("?", "+") else ""
        if self.peek() in ("*", "+", "?"):
            self.invalid(f"nothing for {self.peek()!r} to repeat")
        if node.empty and high != 1:
            self.unsupported("a repetition of what may be empty")
        count = char if char != "{" else f"{{{low},{'' if high is None else high}}}"
        if mode == "+" or high is None:
            self.check_ahead()
        text = f"(?:{node.text}){count}"
        text = f"(?>{text})" if mode == "+" else text + mode
        chars = node.chars if char == "+" and mode != "?" and not node.repeated else None
        loops = math.inf if high != 1 and (node.loops or node.choices) else node.loops + (low != high)
        return _Node(text, node.empty or low == 0, chars, chars is not None, loops, node.choices)

    def counts(self) -> tuple[int, int | None]:
        """The bounds of ``{n}``, ``{n,}`` or ``{n,m}``."""
        body, closed, _ = self.text[self.at :].partition("}")
        low, comma, high = body.partition(",")
        if not closed or not _is_number(low) or (high and not _is_number(high)):
            self.invalid("a '{' that is not a repetition")
        self.at += len(body) + 1
        least = int(low)
        most = (int(high) if high else None) if comma else least
        if max(least, most or 0) >= 2**31 or (most is not None and most < least):
            self.invalid(f"the repetition {{{body}}}")
        if max(least, most or 0) > 10_000:
            self.unsupported(f"the repetition {{{body}}}")
        return least, most

    def group(self) -> _Node | None:
        before = self.ignore_case, self.dot_all
        head, zero_width = "(?:", False
        self.depth += 1
        if self.depth > 100:
            self.unsupported("more than 100 groups within each other")
        if self.eat("?"):
            for start in ("=", "!", "<=", "<!", ">", ":"):
                if self.eat(start):
                    head, zero_width = f"(?{start}", start not in (">", ":")
                    break
            else:
                if self.eat("<"):
                    self.name()
                else:
                    self.flags()
                    if self.eat(")"):
                        self.depth -= 1
                        return None
                    self.at += 1
        if head == "(?>":
            self.check_ahead()
        behind = head.startswith("(?<")
        self.looks_behind |= behind
        self.behind += behind
        node = self.alternatives()
        self.behind -= behind
        if not self.eat(")"):
            self.invalid("an unclosed group")
        self.ignore_case, self.dot_all = before
        self.depth -= 1
        return node.within(f"{head}{node.text})", node.empty or zero_width)

    def check_ahead(self) -> None:
        """Reject possessive, atomic and unlimited parts in a look-behind: ``regex`` matches look-behinds backwards."""
        if self.behind:
            self.unsupported("a possessive, atomic or endless part of a look-behind")

    def name(self) -> None:
        name, closed, _ = self.text[self.at :].partition(">")
        if not closed or not (name.isascii() and name.isalnum() and name[0].isalpha()) or name in self.names:
            self.invalid("a group's name")
        self.names.add(name)
        self.at += len(name) + 1

    def flags(self) -> None:
        """Parse inline flags, up to the ``:`` or ``)`` after them, which is not consumed."""
        on = True
        while self.peek() not in (":", ")"):
            flag = self.next()
            if flag == "-" and on:
                on = False
            elif flag == "i":
                self.ignore_case = on
            elif flag == "s":
                self.dot_all = on
            elif flag and flag in "dmuxU":
                if on:
                    self.unsupported(f"the flag {flag!r}")
            else:
                self.invalid(f"the flag {flag!r}")

    # -- characters --

    def char_class(self) -> Chars:
        inverted = self.eat("^")
        if self.peek() == "]":
            self.unsupported("a ']' in front of a class")
        ranges: list[Range] = []
        properties: list[str] = []
        while not self.eat("]"):
            if self.peek() == "":
                self.invalid("an unclosed class")
            if self.peek() == "[" or self.text.startswith("&&", self.at):
                self.unsupported("a class within a class")
            found = self.class_item()
            if isinstance(found, Chars):
                ranges.extend(found.ranges)
                properties.extend(found.properties)
                continue
            high = found
            if self.peek() == "-" and self.peek(1) not in ("]", "[", ""):
                self.at += 1
                end = self.class_item()
                if isinstance(end, Chars):
                    self.unsupported("a range that ends in a class")
                if end < found:
                    self.invalid("a range that falls")
                high = end
            ranges.append((found, high))
        chars = Chars(tuple(ranges), tuple(properties))
        if self.ignore_case:
            chars = chars.fold()
        return chars.invert() if inverted else chars

    def class_item(self) -> int | Chars:
        char = self.next()
        if char != "\\":
            return ord(char)
        known = self.set_escape(self.peek())
        if known is not None:
            return known
        return self.single_escape()

    def escape(self) -> _Node:
        letter = self.peek()
        known = self.set_escape(letter)
        if known is not None:
            return self.of(known)
        if letter in ("A", "Z", "z"):
            self.at += 1
            return _Node({"A": r"\A", "Z": _END, "z": r"\Z"}[letter], True)
        if letter in ("b", "B"):
            return self.word_edge()
        if letter and letter in "123456789k":
            self.unsupported("a back reference")
        if letter and letter in "GNRX":
            self.unsupported(f"\\{letter}")
        return self.literal(self.single_escape())

    def word_edge(self) -> _Node:
        inside = self.next() == "B"
        if self.peek() == "{":
            self.unsupported("\\b{…}")
        self.has_word_edges = True
        before, after = _WORD_EDGES[self.ascii_words]
        edge = f"(?:{before}(?!{after})|(?!{before}){after})"
        return _Node(f"(?!{edge})" if inside else edge, True)

    def set_escape(self, letter: str) -> Chars | None:
        """The predefined class or property that ``letter`` denotes after a backslash; ``None`` for another escape."""
        if letter in ("p", "P"):
            self.at += 1
            return self.property(inverted=letter == "P")
        chars = _PREDEFINED.get(letter.lower()) if letter else None
        if chars is None:
            return None
        self.at += 1
        return chars.invert() if letter.isupper() else chars

    def property(self, inverted: bool) -> Chars:
        name = self.next()
        if name == "{":
            name, closed, _ = self.text[self.at :].partition("}")
            if not closed or not name:
                self.invalid("an unclosed property")
            self.at += len(name) + 1
        elif not name:
            self.invalid("a property without a name")
        if name in _POSIX:
            if self.ignore_case and name in _CASED:
                self.unsupported(f"the property {name!r} whatever the case")
            return _POSIX[name].invert() if inverted else _POSIX[name]
        known = _property(name)
        if known is None or (self.ignore_case and known in _CASED):
            self.unsupported(f"the property {name!r}" + (" whatever the case" if known else ""))
        return Chars((), (f"\\{'P' if inverted else 'p'}{{{known}}}",))

    def single_escape(self) -> int:
        letter = self.next()
        if letter in _CONTROLS:
            return ord(_CONTROLS[letter])
        reader = _ESCAPES.get(letter)
        if reader is not None:
            code = reader(self)
            if 0xD800 <= code <= 0xDFFF:
                self.unsupported("half of a surrogate pair")
            return code
        if letter == "" or (letter.isascii() and letter.isalnum()):
            self.invalid(f"the escape '\\{letter}'")
        return ord(letter)

    def digits(self, base: int, most: int, least: int = 1) -> int:
        end = self.at
        while end - self.at < most and _is_digit(self.text[end : end + 1], base):
            end += 1
        if end - self.at < least:
            self.invalid("an escape that lacks digits")
        digits, self.at = self.text[self.at : end], end
        return int(digits, base)

    def octal(self) -> int:
        return self.digits(8, 3 if self.peek() in ("0", "1", "2", "3") else 2)

    def hexadecimal(self) -> int:
        if not self.eat("{"):
            return self.digits(16, 2, 2)
        code = self.digits(16, 8)
        if not self.eat("}") or code > _LAST:
            self.invalid("a hexadecimal escape")
        return code

    def unicode(self) -> int:
        code = self.digits(16, 4, 4)
        if 0xD800 <= code < 0xDC00 and self.eat("\\u"):
            low = self.digits(16, 4, 4)
            if 0xDC00 <= low <= 0xDFFF:
                return 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)
            self.unsupported("half of a surrogate pair")
        return code

    def control(self) -> int:
        char = self.next()
        if not char:
            self.invalid("an escape that lacks its character")
        return ord(char) ^ 64


_ESCAPES: dict[str, Callable[[_Parser], int]] = {
    "0": _Parser.octal,
    "x": _Parser.hexadecimal,
    "u": _Parser.unicode,
    "c": _Parser.control,
}


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _is_digit(char: str, base: int) -> bool:
    return char != "" and char in "0123456789abcdefABCDEF"[: 8 if base == 8 else None]


def _property(name: str) -> str | None:
    """The name of a Unicode property in ``regex``; ``None`` for an unknown one."""
    key, equals, value = name.partition("=")
    if equals:
        if key.lower() in ("general_category", "gc"):
            return value if _CATEGORIES.fullmatch(value) else None
        if key.lower() in ("script", "sc"):
            return f"Script={value}" if _SCRIPTS.fullmatch(value) else None
        return None
    if _CATEGORIES.fullmatch(name):
        return name
    bare = name.removeprefix("Is")
    if bare == name:
        return None
    if _CATEGORIES.fullmatch(bare):
        return bare
    if _SCRIPTS.fullmatch(bare):
        return f"Script={bare}"
    return _BINARY.get(bare.lower())


def _without_quotes(pattern: str) -> str:
    """The pattern with the characters between ``\\Q`` and ``\\E`` escaped one by one."""
    parts: list[str] = []
    at = 0
    while at < len(pattern):
        if pattern[at] != "\\":
            parts.append(pattern[at])
            at += 1
        elif pattern[at + 1 : at + 2] != "Q":
            parts.append(pattern[at : at + 2])
            at += 2
        else:
            quoted, _, rest = pattern[at + 2 :].partition("\\E")
            parts.extend(_quoted(c) for c in quoted)
            at = len(pattern) - len(rest)
    return "".join(parts)


def _quoted(char: str) -> str:
    if not char.isascii() or char.isalpha():
        return char
    return f"\\x{ord(char):02x}"


__all__ = ["Chars", "JavaPattern", "check", "translate"]
