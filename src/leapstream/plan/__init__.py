"""The plan: primitives, what ops use to lower themselves, and rewrites."""
