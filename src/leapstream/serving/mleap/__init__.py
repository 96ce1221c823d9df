"""The parts that MLeap's REST protocol and its gRPC service share."""
