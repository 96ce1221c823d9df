"""What classifiers, regressions and clusterings compute beyond linear algebra."""
