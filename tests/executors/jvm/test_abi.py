"""The number of the hand-written classes rises with what generated classes see of them."""

from __future__ import annotations

import hashlib
import re

from leapstream.executors.jvm.sources import FUNCTIONS, KERNELS, LIVE, PROVIDERS, abi, java_sources

ABI = f"{KERNELS}.Abi"
_COMMENTS_AND_TEXTS = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.DOTALL)
_DECLARATION = re.compile(r"^\s*((?:public|protected)\b[^{;=]*)", re.MULTILINE)


def surface(source: str) -> list[str]:
    """The public and protected declarations of a class, in their order, without bodies and values."""
    found = _DECLARATION.findall(_COMMENTS_AND_TEXTS.sub("", source))
    return [re.sub(r" ?([(),<>]) ?", r"\1", " ".join(declaration.split())) for declaration in found]


def digest() -> str:
    lines = [
        f"{name}: {declaration}"
        for package in (KERNELS, FUNCTIONS, LIVE, PROVIDERS)
        for name, source in java_sources(package).items()
        for declaration in surface(source)
    ]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def test_the_abi_number_stands_beside_a_digest_of_the_public_declarations() -> None:
    recorded = re.findall(r"SURFACE = ([0-9a-f]+)", java_sources(KERNELS)[ABI])
    assert recorded == [digest()], (
        "the public declarations of the hand-written Java changed, so that classes which an older leapstream generated "
        f"may not fit them. In Abi.java: raise NUMBER, now {abi()}, unless no released version of leapstream has that number "
        f"yet; then write SURFACE = {digest()}"
    )


def test_the_surface_is_declarations_without_bodies_values_and_comments() -> None:
    source = """
    /** public int no(); */
    public final class A extends B {
        public static final int NUMBER = 1; // public int no()
        private int hidden;
        protected abstract double f(
                int x, String y);
        public A(Object[] x) { super("public int no();"); }
    }
    """
    assert surface(source) == [
        "public final class A extends B",
        "public static final int NUMBER",
        "protected abstract double f(int x,String y)",
        "public A(Object[] x)",
    ]
